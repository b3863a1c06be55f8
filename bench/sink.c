/* A client that only reads, as fast as one can, so that what is measured is the server.
 * usage: sink PORT KIND < REQUEST     KIND: plain (no request), frames (WebSocket), acks (reconnectingpty.v1).
 * Prints a line when it has been greeted, and at the end: payload bytes of the output, seconds from first to last. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, ACK_EVERY = 64 * 1024 };

static char buffer[1 << 20];
static size_t start, end;
static int server;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* At least `count` bytes from `start` on; 0 at the end of the stream. */
static int need(size_t count) {
    while (end - start < count) {
        if (start > sizeof buffer / 2) {
            memmove(buffer, buffer + start, end - start);
            end -= start;
            start = 0;
        }
        ssize_t n = read(server, buffer + end, sizeof buffer - end);
        if (n <= 0) return 0;
        end += (size_t)n;
    }
    return 1;
}

static void acknowledge(uint64_t offset) {
    char text[64], frame[72] = {(char)0x81};
    int length = snprintf(text, sizeof text, "{\"type\":\"ack\",\"offset\":%llu}", (unsigned long long)offset);
    frame[1] = (char)(0x80 | length); /* masked with zeros, which change nothing */
    memcpy(frame + 6, text, (size_t)length);
    if (write(server, frame, (size_t)length + 6) < 0) exit(1);
}

static uint64_t member(const char *text, size_t length, const char *name) {
    const char *found = memmem(text, length, name, strlen(name));
    return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

static void greeted(void) {
    puts("greeted");
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, acks = !strcmp(argv[2], "acks");
    server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address)) return 1;
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint64_t bytes = 0, picture = 0, offset = 0, acknowledged = 0;
    double first = 0, last = 0;
    if (!strcmp(argv[2], "plain")) {
        greeted();
        for (ssize_t n; (n = read(server, buffer, sizeof buffer)) > 0; bytes += (uint64_t)n)
            if (!first) first = now();
    } else {
        static char request[1 << 16];
        size_t length = fread(request, 1, sizeof request, stdin);
        if (write(server, request, length) != (ssize_t)length) return 1;
        for (const char *stop = NULL; !stop; stop = memmem(buffer, end, "\r\n\r\n", 4), start = stop ? (size_t)(stop - buffer) + 4 : 0)
            if (!need(end + 1)) return 1;
        if (!memmem(buffer, start, " 101 ", 5)) return 1;
        if (!acks) greeted();
        while (need(2)) {
            unsigned char *head = (unsigned char *)buffer + start;
            int kind = head[0] & 15;
            uint64_t size = head[1];
            size_t skip = 2;
            if (size == 126) {
                if (!need(4)) break;
                head = (unsigned char *)buffer + start;
                size = (uint64_t)head[2] << 8 | head[3], skip = 4;
            } else if (size == 127) {
                if (!need(10)) break;
                head = (unsigned char *)buffer + start;
                size = 0, skip = 10;
                for (int i = 2; i < 10; i++) size = size << 8 | head[i];
            }
            if (skip + size > sizeof buffer / 2 || !need(skip + size)) break;
            const char *payload = buffer + start + skip;
            start += skip + size;
            if (kind == CLOSE) break;
            if (acks && kind == TEXT && memmem(payload, size, "\"hello\"", 7)) {
                offset = acknowledged = member(payload, size, "\"offset\":");
                picture = member(payload, size, "\"snapshot\":");
                greeted();
            }
            if (kind != (acks ? BINARY : TEXT)) continue;
            uint64_t drawn = picture < size ? picture : size;
            picture -= drawn;
            if (size > drawn && !first) first = now();
            bytes += size - drawn;
            offset += size - drawn;
            if (acks && offset - acknowledged >= ACK_EVERY) acknowledge(acknowledged = offset);
        }
    }
    last = now();
    printf("%llu %.9f\n", (unsigned long long)bytes, last - first);
    return 0;
}
