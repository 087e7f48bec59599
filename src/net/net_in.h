/* net_in.h: what the files of this folder share. */
#ifndef PLATEN_NET_NET_IN_H
#define PLATEN_NET_NET_IN_H

/* Once per process, from any thread. */
void net_start_curl(void);

#endif
