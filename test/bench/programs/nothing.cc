// A program that does nothing: what is left of the time is the start and the end of a process. Linked statically,
// because ld.so costs as much as a network namespace.

int main() {
  return 0;
}
