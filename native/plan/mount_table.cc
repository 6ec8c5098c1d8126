#include "mount_table.h"

#include <linux/mount.h>

namespace plan {

namespace {

struct Option {
  const char* name;
  int64_t attribute;
};

constexpr Option kOptions[] = {
    {"ro", MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", 0x00200000 /* MOUNT_ATTR_NOSYMFOLLOW, Linux 5.14 */},
};

constexpr size_t kLongestOption = 16;

int64_t attribute_of(const char* word) {
  for (const Option& option : kOptions) {
    size_t i = 0;
    while (word[i] != 0 && word[i] == option.name[i]) i++;
    if (word[i] == option.name[i]) return option.attribute;
  }
  return 0;
}

bool is_octal(int c) {
  return c >= '0' && c <= '7';
}

}  // namespace

/// The next character, or kEnd.
int MountTable::get() {
  if (next_ == size_) {
    if (!error_) return kEnd;
    error_ = attempt(SYS_read, fd_.get(), buffer_, sizeof buffer_);
    size_ = error_ ? static_cast<size_t>(error_.value) : 0;
    next_ = 0;
    if (size_ == 0) return kEnd;
  }
  return static_cast<unsigned char>(buffer_[next_++]);
}

int MountTable::skip_field() {
  int c;
  do c = get();
  while (c != ' ' && c != '\n' && c != kEnd);
  return c;
}

int MountTable::number() {
  int value = 0;
  for (int c = get(); c >= '0' && c <= '9'; c = get()) value = value * 10 + (c - '0');
  return value;
}

/// Spaces, tabs, newlines and backslashes stand as three octal digits behind a backslash (seq_path in fs/seq_file.c).
int MountTable::read_path(MountEntry* entry) {
  entry->size = 0;
  entry->too_long = false;
  int c = get();
  while (c != ' ' && c != '\n' && c != kEnd) {
    int byte = c;
    c = get();
    if (byte == '\\' && is_octal(c)) {
      byte = 0;
      for (int i = 0; i < 3 && is_octal(c); i++) {
        byte = byte * 8 + (c - '0');
        c = get();
      }
    }
    if (entry->size + 1 == sizeof entry->path) {
      entry->too_long = true;
    } else {
      entry->path[entry->size++] = static_cast<char>(byte);
    }
  }
  if (entry->size == 1 && entry->path[0] == '/') entry->size = 0;
  entry->path[entry->size] = 0;
  return c;
}

int MountTable::read_options(MountEntry* entry) {
  entry->attributes = 0;
  char word[kLongestOption];
  int c;
  do {
    size_t size = 0;
    for (c = get(); c != ',' && c != ' ' && c != '\n' && c != kEnd; c = get()) {
      if (size + 1 < sizeof word) word[size++] = static_cast<char>(c);
    }
    word[size] = 0;
    entry->attributes |= attribute_of(word);
  } while (c == ',');
  return c;
}

// 36 35 98:0 /source /mount\040point rw,noatime shared:1 - ext3 /dev/root rw,errors=continue
Outcome MountTable::next(MountEntry* entry) {
  entry->id = number();
  entry->parent = number();
  int c = skip_field();
  if (c == ' ') c = skip_field();
  if (c == ' ') c = read_path(entry);
  if (c == ' ') c = read_options(entry);
  while (c != '\n' && c != kEnd) c = get();
  Outcome r = error_;
  if (r) r.value = c == '\n' ? 1 : 0;
  return r;
}

}  // namespace plan
