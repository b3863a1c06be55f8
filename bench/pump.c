/* The physical limit: a command on a PTY and one loopback socket, with nothing in between.
 * usage: pump PORT COMMAND     waits for one client, runs COMMAND, pumps both ways until it ends.
 * Output: read the PTY until it would block or 256 KiB are there, then send that. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[256 * 1024];

static int put(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd wait = {fd, POLLOUT, 0};
            poll(&wait, 1, -1);
        } else if (n <= 0) {
            return -1;
        } else {
            data += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, master;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) return 1;
    puts("ready");
    fflush(stdout);
    int client = accept(listener, NULL, NULL);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct winsize size = {24, 80, 0, 0};
    if (forkpty(&master, NULL, NULL, &size) == 0) {
        execl("/bin/sh", "sh", "-c", argv[2], (char *)NULL);
        _exit(127);
    }
    fcntl(master, F_SETFL, O_NONBLOCK);
    for (;;) {
        struct pollfd ready[2] = {{master, POLLIN, 0}, {client, POLLIN, 0}};
        if (poll(ready, 2, -1) < 0) return 1;
        if (ready[1].revents) {
            ssize_t n = read(client, buffer, sizeof buffer);
            if (n <= 0 || put(master, buffer, (size_t)n)) return 0;
        }
        if (ready[0].revents) {
            size_t filled = 0;
            ssize_t n = 0;
            while (filled < sizeof buffer && (n = read(master, buffer + filled, sizeof buffer - filled)) > 0)
                filled += (size_t)n;
            int over = n < 0 && errno != EAGAIN;
            if (put(client, buffer, filled) || over) return 0;
        }
    }
}
