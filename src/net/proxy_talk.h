/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with a proxy of any kind as bytes in, bytes out, and the
 * rule that holds for all of them: it ends exactly where the proxy's answer
 * ends. A byte behind it would be taken for the target's by whoever comes next
 * (TLS above all), so it is an error. Pure; owned by proxy.c.
 */
#ifndef WSB_NET_PROXY_TALK_H
#define WSB_NET_PROXY_TALK_H

#include "net/proxy_http.h"
#include "net/proxy_socks.h"

struct proxy_talk {
	bool is_http;
	struct buf out;
	union {
		struct proxy_http http;
		struct proxy_socks socks;
	};
};

/* False: *err says why nothing can be sent; deinit all the same. params, memory: not copied. */
bool proxy_talk_init(struct proxy_talk *t, const struct proxy_params *params,
		     struct proxy_memory *memory, struct error *err);
void proxy_talk_deinit(struct proxy_talk *t); /* wipes; twice is fine */

/* What is to be sent now. It may hold credentials. */
struct span proxy_talk_output(const struct proxy_talk *t);
void proxy_talk_sent(struct proxy_talk *t, size_t n); /* the first n bytes of it are out: wiped */

/* Bytes of the proxy. Not to be called again after anything but PROXY_MORE. */
enum proxy_result proxy_talk_feed(struct proxy_talk *t, struct span input, struct error *err);

/*
 * The connection is over before the way was open, why says how (NULL: the
 * proxy closed it): PROXY_AGAIN or PROXY_BAD.
 */
enum proxy_result proxy_talk_end(struct proxy_talk *t, const struct error *why, struct error *err);

#endif
