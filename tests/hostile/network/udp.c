// tries: the loopback by datagrams, raw packets and echo requests
// outcomes: [succeeded]
// stdout: "EACCES EACCES EACCES EACCES EACCES EACCES \n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(void)
{
    static const struct {
        int family, type, protocol;
    } kinds[] = {{AF_INET, SOCK_DGRAM, 0},           {AF_INET, SOCK_RAW, IPPROTO_ICMP},  {AF_INET, SOCK_RAW, IPPROTO_RAW},
                 {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}, {AF_INET6, SOCK_DGRAM, 0}, {AF_PACKET, SOCK_RAW, 0}};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons({{udp}}), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i += 1) {
        int fd = socket(kinds[i].family, kinds[i].type, kinds[i].protocol);
        if (fd >= 0)
            sendto(fd, "x", 1, 0, (struct sockaddr *)&there, sizeof there);
        printf("%s ", fd < 0 ? strerrorname_np(errno) : "ESCAPED");
    }
    puts("");
}
