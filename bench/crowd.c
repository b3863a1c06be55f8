/* People at their terminals: one session each, typing at random moments, and reading whatever comes.
 * usage: crowd PORT TOKEN KEYS COMMAND    KEYS: a second and person; COMMAND: what each session runs, percent-encoded
 * A line "PEOPLE SECONDS" on its input lets as many type for so long (never fewer than before). The answer: "ready",
 * when all are there, and a line of keys, echoes, p50, p99 and worst in µs, bytes of output a second. Times are counted from the moment a key was to be
 * typed, so that a client that is late hides nothing. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 20000, WAITING = 64, ROOM = 1 << 17, ACK_EVERY = 64 * 1024, TIMES = 1 << 22 };

struct person {
    int socket, greeted, here;
    size_t end;
    uint64_t offset, acknowledged, picture;
    double typed[WAITING];
    unsigned keys, echoes;
    char *buffer;
};

static struct person people[MOST];
static float times[TIMES];
static size_t echoes, keys;
static uint64_t bytes;
static int count, present, poller;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void say(struct person *p, int kind, const char *text, size_t length) {
    char frame[128] = {(char)(0x80 | kind), (char)(0x80 | length)}; /* masked with zeros, which change nothing */
    memcpy(frame + 6, text, length);
    if (write(p->socket, frame, length + 6) != (ssize_t)length + 6) die("write");
}

static uint64_t member(const char *text, size_t length, const char *name) {
    const char *found = memmem(text, length, name, strlen(name));
    return found ? strtoull(found + strlen(name), NULL, 10) : 0;
}

static void output(struct person *p, const char *data, size_t size) {
    uint64_t drawn = p->picture < size ? p->picture : size;
    p->picture -= drawn;
    p->offset += size - drawn;
    bytes += size;
    double at = now();
    for (size_t i = 0; i < size; i++) {
        if (data[i] < 'a' || data[i] > 'z') continue;
        if (!p->here) {
            p->here = 1, present++;
        } else if (p->echoes < p->keys) {
            double waited = at - p->typed[p->echoes++ % WAITING];
            if (echoes < TIMES) times[echoes++] = (float)waited;
        }
    }
    if (p->offset - p->acknowledged >= ACK_EVERY) {
        char text[64];
        int length = snprintf(text, sizeof text, "{\"type\":\"ack\",\"offset\":%llu}", (unsigned long long)p->offset);
        say(p, 1, text, (size_t)length);
        p->acknowledged = p->offset;
    }
}

static void take(struct person *p) {
    ssize_t n = read(p->socket, p->buffer + p->end, ROOM - p->end);
    if (n <= 0) die("a connection ended");
    p->end += (size_t)n;
    size_t start = 0;
    if (!p->greeted) {
        char *stop = memmem(p->buffer, p->end, "\r\n\r\n", 4);
        if (!stop) return;
        if (!memmem(p->buffer, (size_t)(stop - p->buffer), " 101 ", 5)) errno = 0, die("refused");
        start = (size_t)(stop - p->buffer) + 4;
        p->greeted = 1;
    }
    while (p->end - start >= 2) {
        unsigned char *head = (unsigned char *)p->buffer + start;
        size_t size = head[1], skip = 2;
        if (size == 126) {
            if (p->end - start < 4) break;
            size = (size_t)head[2] << 8 | head[3], skip = 4;
        } else if (size == 127) {
            if (p->end - start < 10) break;
            size = 0, skip = 10;
            for (int i = 2; i < 10; i++) size = size << 8 | head[i];
        }
        if (skip + size > ROOM) errno = 0, die("a frame is too long");
        if (p->end - start < skip + size) break;
        const char *payload = p->buffer + start + skip;
        int kind = head[0] & 15;
        if (kind == 1 && memmem(payload, size, "\"hello\"", 7)) {
            p->offset = p->acknowledged = member(payload, size, "\"offset\":");
            p->picture = member(payload, size, "\"snapshot\":");
        } else if (kind == 2) {
            output(p, payload, size);
        } else if (kind == 9) {
            say(p, 10, payload, size < 100 ? size : 100); /* the server asks whether anybody is there */
        }
        start += skip + size;
    }
    memmove(p->buffer, p->buffer + start, p->end - start);
    p->end -= start;
}

static void turn(double wait) {
    struct epoll_event events[256];
    struct timespec most = {.tv_sec = (time_t)wait, .tv_nsec = (long)((wait - floor(wait)) * 1e9)};
    int n = epoll_pwait2(poller, events, 256, &most, NULL);
    if (n < 0 && errno != EINTR) die("epoll");
    for (int i = 0; i < n; i++) take(&people[events[i].data.u32]);
}

static void join(int port, const char *token, const char *command) {
    struct person *p = &people[count];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    p->buffer = malloc(ROOM);
    p->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(p->socket, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(p->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (dprintf(p->socket,
                "GET /pty?reconnect=crowd%d&width=80&height=24&command=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Sec-WebSocket-Version: 13\r\nAuthorization: Bearer %s\r\n"
                "Sec-WebSocket-Protocol: reconnectingpty.v1\r\n\r\n",
                count, command, port, token) < 0)
        die("write");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)count};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, p->socket, &event)) die("epoll");
    count++;
}

static void type(double rate, double seconds) {
    double began = now(), next = began;
    while (next < began + seconds) {
        double at = now();
        if (at < next) {
            turn(next - at);
            continue;
        }
        struct person *p = &people[rand() % count];
        if (p->keys - p->echoes < WAITING) { /* whoever waits for that many has long had enough */
            char key = (char)('a' + rand() % 26);
            p->typed[p->keys++ % WAITING] = next;
            say(p, 2, &key, 1);
        }
        keys++;
        next -= log((rand() + 1.0) / (RAND_MAX + 1.0)) / (rate * count);
        if (at - next > 0) turn(0);
    }
}

static int smaller(const void *a, const void *b) {
    return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int wanted;
    double seconds;
    poller = epoll_create1(0);
    while (scanf("%d %lf", &wanted, &seconds) == 2) {
        while (count < wanted && count < MOST) {
            join(atoi(argv[1]), argv[2], argv[4]);
            while (present < count - 16) turn(1);
        }
        while (present < count) turn(1);
        type(atof(argv[3]), 0.5); /* warm */
        for (double until = now() + 1; now() < until;) turn(0.1);
        puts("ready");
        fflush(stdout);
        echoes = keys = bytes = 0;
        double began = now();
        type(atof(argv[3]), seconds);
        double took = now() - began;
        for (double until = now() + 2; echoes < keys && now() < until;) turn(0.1);
        qsort(times, echoes, sizeof *times, smaller);
        printf("%zu %zu %.0f %.0f %.0f %.0f\n", keys, echoes, times[echoes / 2] * 1e6, times[echoes * 99 / 100] * 1e6,
               times[echoes ? echoes - 1 : 0] * 1e6, (double)bytes / took);
        fflush(stdout);
    }
    return 0;
}
