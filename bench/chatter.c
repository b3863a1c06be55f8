/* A program as a session runs one: echoes keys at once, and prints lines by itself.
 * usage: chatter BYTES    bytes a second, ten times a second or line by line; none of them a small letter. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 80 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    double rate = atof(argv[1]), period = rate ? (rate > LINE * 10 ? 0.1 : LINE / rate) : 0;
    size_t size = (size_t)(rate * period);
    char keys[4096], text[1 << 16];
    if (size > sizeof text) return 2;
    for (size_t i = 0; i < size; i++) text[i] = i % LINE == LINE - 1 || i == size - 1 ? '\n' : (char)('0' + i % 43);
    struct termios mode;
    if (tcgetattr(0, &mode)) return 1;
    cfmakeraw(&mode);
    mode.c_oflag |= OPOST | ONLCR;
    tcsetattr(0, TCSANOW, &mode);
    if (write(1, "z", 1) != 1) return 1; /* here */
    srand((unsigned)getpid());
    double next = now() + period * rand() / RAND_MAX;
    for (struct pollfd input = {.fd = 0, .events = POLLIN};;) {
        double wait = next - now();
        int ready = poll(&input, 1, !rate ? -1 : wait > 0 ? (int)(wait * 1000) + 1 : 0);
        if (ready > 0) {
            ssize_t n = read(0, keys, sizeof keys);
            if (n <= 0 || write(1, keys, (size_t)n) != n) return 0;
        }
        if (rate && now() >= next) {
            if (write(1, text, size) < 0) return 0;
            next += period;
        }
    }
}
