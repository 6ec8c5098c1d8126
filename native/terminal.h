// Our side of a pseudoterminal. libuv's own tty stream takes a short read together with a hang-up for the end, and a
// master never returns more than a page at once: the last pages of a fast program were lost (uv__stream_io in libuv's
// stream.c). Here it is read until the kernel says EIO, which it does only once everything has been handed over.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "poll_handle.h"

class Terminal : public PollHandle {
 public:
  /// @param callback called with each piece of output, a Buffer, and with null at the end;
  /// the master stays open until close()
  Terminal(Napi::Function callback, Fd master);

  /// Reads on, or leaves what comes to the kernel's buffer, whereupon the writer waits.
  void set_reading(bool reading);
  /// Sends input; what the kernel does not take at once is kept.
  void write(const char* data, size_t size);
  /// @return 0 or an errno
  int resize(uint16_t columns, uint16_t rows);

 private:
  void ready() override;
  /// Lets go of the callback, which holds the JavaScript object that holds us.
  void closed() override;
  void read_output();
  void flush_input();
  void update();
  void emit(napi_value output);

  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  std::vector<char> buffer_;
  std::string input_;
  bool reading_ = true;
};
