// The smallest command: static, so that a root with nothing else in it can run it, and with next to no system calls.
int main() {
  return 0;
}
