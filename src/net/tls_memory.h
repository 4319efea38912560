/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where OpenSSL has its memory from. A connection needs blocks of the size of
 * a record for a moment: to shake hands, to read, to write. Among what stays
 * as long as the connection they would leave holes that nothing fits into, so
 * they have a place of their own; the rest is malloc(3).
 */
#ifndef WSB_NET_TLS_MEMORY_H
#define WSB_NET_TLS_MEMORY_H

/* Before OpenSSL allocates anything: later it changes nothing. Twice is fine. One thread only. */
void tls_memory_init(void);

#endif
