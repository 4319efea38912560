/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ws_peer.h. It stands on the pure parts of ws/ (frame, mask, close,
 * accept key) but not on the client's conversation, which is what it tests.
 * The test owns the struct. The trap: a stalled peer sees neither frames nor
 * the end of the connection.
 */
#include "support/ws_peer.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/stream.h"
#include "ws/close.h"
#include "ws/mask.h"
#include "ws/upgrade.h"

#define QUEUE_MAX ((size_t)256 * 1024 * 1024)

static const char *const opcodes[16] = {
	[FRAME_CONTINUATION] = "more", [FRAME_TEXT] = "text", [FRAME_BINARY] = "binary",
	[FRAME_CLOSE] = "close",       [FRAME_PING] = "ping", [FRAME_PONG] = "pong",
};

void ws_peer_drop(struct ws_peer *p)
{
	stream_free(p->stream);
	p->stream = NULL;
	p->fd = -1;
	buf_clear(&p->in);
	buf_clear(&p->out);
	buf_clear(&p->message);
}

void ws_peer_reset(struct ws_peer *p)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	ws_peer_drop(p);
}

void ws_peer_finish(struct ws_peer *p)
{
	stream_shutdown(p->stream);
}

static void flush(struct ws_peer *p)
{
	struct span bytes = buf_bytes(&p->out);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n };

	if (bytes.n > 0)
		buf_consume(&p->out, stream_offer(p->stream, &iov, 1));
	/* RFC 6455, 7.1.1: the server is the one to close TCP first */
	if (p->out.len == 0 && p->close_sent && p->close_seen && !p->no_hangup)
		ws_peer_drop(p);
}

void ws_peer_raw(struct ws_peer *p, struct span bytes)
{
	bool fits = buf_append(&p->out, bytes);

	assert(p->stream && fits);
	flush(p);
}

void ws_peer_frame(struct ws_peer *p, enum frame_opcode opcode, bool fin, struct span payload)
{
	struct frame_header h = { .fin = fin, .opcode = opcode, .len = payload.n };
	uint8_t head[WS_FRAME_HEADER_MAX];
	size_t n = frame_encode(head, &h);
	bool fits = buf_append(&p->out, span_of(head, n));

	assert(fits);
	if (opcode == FRAME_CLOSE)
		p->close_sent = true;
	ws_peer_raw(p, payload);
}

void ws_peer_text(struct ws_peer *p, const char *text)
{
	ws_peer_frame(p, FRAME_TEXT, true, span_str(text));
}

void ws_peer_close(struct ws_peer *p, int code, const char *reason)
{
	uint8_t body[WS_CONTROL_MAX];
	size_t n = close_encode(body, code, span_str(reason));

	ws_peer_frame(p, FRAME_CLOSE, true, span_of(body, n));
}

static void note(struct ws_peer *p, const struct frame_header *h, struct span payload)
{
	int shown = payload.n < WS_PEER_SHOWN ? (int)payload.n : WS_PEER_SHOWN;
	const char *text = (const char *)payload.p;
	mem_auto_str line = NULL;
	mem_auto_str code = NULL;
	mem_auto_str rest = NULL;
	size_t n;

	if (h->opcode == FRAME_CLOSE && payload.n >= 2) {
		code = mem_printf("%d ", payload.p[0] << 8 | payload.p[1]);
		text += 2;
		shown -= 2;
	}
	if (payload.n > WS_PEER_SHOWN)
		rest = mem_printf("...%zu", payload.n);
	p->frames++;
	line = mem_printf("%s%s %s%.*s%s|", opcodes[h->opcode], h->fin ? "" : "+", code ? code : "",
			  shown, text, rest ? rest : "");
	n = strlen(line);
	p->seen = mem_grow(p->seen, p->seen_n + n + 1, 1);
	memcpy(p->seen + p->seen_n, line, n + 1);
	p->seen_n += n;
}

static void take_data(struct ws_peer *p, const struct frame_header *h, struct span payload)
{
	bool fits = buf_append(&p->message, payload);

	assert(fits);
	if (!h->fin)
		return;
	if (p->on_message)
		p->on_message(p->arg, buf_bytes(&p->message));
	buf_clear(&p->message);
}

static void on_frame(struct ws_peer *p, const struct frame_header *h, struct span payload)
{
	note(p, h, payload);
	switch (h->opcode) {
	case FRAME_TEXT:
	case FRAME_BINARY:
	case FRAME_CONTINUATION:
		take_data(p, h, payload);
		if (p->echo)
			ws_peer_frame(p, h->opcode, h->fin, payload);
		break;
	case FRAME_PING:
		if (!p->no_pong)
			ws_peer_frame(p, FRAME_PONG, true, payload);
		break;
	case FRAME_PONG:
		break;
	case FRAME_CLOSE:
		p->close_seen = true;
		if (!p->close_sent && !p->no_close)
			ws_peer_frame(p, FRAME_CLOSE, true, payload);
		else
			flush(p);
		break;
	}
}

/* False: there is no whole frame, or no connection any more. */
static bool take_frame(struct ws_peer *p)
{
	struct span all = buf_bytes(&p->in), rest = all;
	struct frame_decoder decoder;
	struct frame_header h;
	const char *why = NULL;
	enum frame_result result;
	uint8_t *payload;

	frame_decoder_init(&decoder, FRAME_FROM_CLIENT);
	decoder.deflate = p->fields;
	result = frame_decode(&decoder, &rest, &h, &why);
	assert(result != FRAME_BAD);
	assert(!p->close_seen || frame_is_control(h.opcode)); /* RFC 6455, 5.5.1 */
	if (result == FRAME_MORE || rest.n < h.len)
		return false;
	payload = mem_alloc(h.len);
	mask_copy(payload, span_of(rest.p, h.len), h.key, 0);
	buf_consume(&p->in, all.n - rest.n + h.len);
	on_frame(p, &h, span_of(payload, h.len));
	free(payload);
	return p->stream && p->in.len > 0;
}

static void answer_properly(struct ws_peer *p)
{
	char accept[UPGRADE_ACCEPT_LEN + 1];
	mem_auto_str text = NULL;
	struct span key;
	size_t i = 0;
	bool found = http_head_find(&p->head, "sec-websocket-key", &i, &key);

	assert(found);
	upgrade_accept(accept, key);
	text = mem_printf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			  "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s%s\r\n",
			  accept, p->subprotocol ? "Sec-WebSocket-Protocol: " : "",
			  p->subprotocol ? p->subprotocol : "", p->subprotocol ? "\r\n" : "",
			  p->fields ? p->fields : "");
	p->upgraded++;
	ws_peer_raw(p, span_str(text));
}

static void note_request(struct ws_peer *p)
{
	struct span head = buf_bytes(&p->head.bytes);
	mem_auto_str old = p->requests;

	snprintf(p->request, sizeof(p->request), "%.*s", (int)head.n, (const char *)head.p);
	p->requests = mem_printf("%s%.*s", old, (int)head.n, (const char *)head.p);
}

static void take_request(struct ws_peer *p, struct span *data)
{
	const char *answer = p->answer;
	struct error err;
	enum http_head_result result = http_head_feed(&p->head, data, &err);

	assert(result != HTTP_HEAD_BAD);
	if (result == HTTP_HEAD_MORE)
		return;
	note_request(p);
	if (p->script && *p->script)
		answer = *p->script++;
	p->refused = answer != NULL;
	if (answer)
		ws_peer_raw(p, span_str(answer));
	else
		answer_properly(p);
}

static void on_data(struct ws_peer *p, struct span data)
{
	bool fits;

	p->bytes += data.n;
	if (!p->request[0])
		take_request(p, &data);
	fits = buf_append(&p->in, data);
	assert(fits);
	if (p->refused) /* no conversation: nothing to read frames from */
		return;
	while (p->stream && p->in.len > 0 && take_frame(p))
		;
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct ws_peer *p = arg;

	(void)err;
	switch (event) {
	case STREAM_DATA:
		on_data(p, data);
		break;
	case STREAM_WRITABLE:
		flush(p);
		break;
	case STREAM_EOF:
		p->eof = true;
		break;
	case STREAM_FAILED:
		p->lost = true;
		ws_peer_drop(p);
		break;
	}
}

static void on_accept(void *arg, unsigned events)
{
	struct ws_peer *p = arg;
	int fd = accept4(p->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;

	(void)events;
	if (fd < 0)
		return;
	ws_peer_drop(p);
	http_head_deinit(&p->head);
	http_head_init_request(&p->head);
	p->accepted++;
	p->bytes = 0;
	p->eof = p->lost = p->close_sent = p->close_seen = p->refused = false;
	p->request[0] = '\0';
	p->fd = fd;
	/* what is sent comes at once: a test that waits for nothing may wait briefly */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	p->stream = fd_stream_new(p->loop, fd);
	stream_attach(p->stream, on_stream, p);
}

void ws_peer_init(struct ws_peer *p, struct loop *l)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int rc;

	*p = (struct ws_peer){ .loop = l, .fd = -1, .seen = mem_strdup("") };
	p->requests = mem_strdup("");
	buf_init(&p->in, QUEUE_MAX);
	buf_init(&p->out, QUEUE_MAX);
	buf_init(&p->message, QUEUE_MAX);
	http_head_init_request(&p->head);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = bind(p->listening, (struct sockaddr *)&addr, len) || listen(p->listening, 16) ||
	     getsockname(p->listening, (struct sockaddr *)&addr, &len);
	assert(rc == 0);
	p->port = ntohs(addr.sin_port);
	watch_init(&p->accepting, l, p->listening, on_accept, p);
	watch_set(&p->accepting, WATCH_READ);
}

void ws_peer_refuse(struct ws_peer *p)
{
	watch_deinit(&p->accepting);
	if (p->listening >= 0)
		close(p->listening);
	p->listening = -1;
}

void ws_peer_deinit(struct ws_peer *p)
{
	ws_peer_refuse(p);
	ws_peer_drop(p);
	buf_deinit(&p->in);
	buf_deinit(&p->out);
	buf_deinit(&p->message);
	http_head_deinit(&p->head);
	free(p->seen);
	free(p->requests);
	p->seen = p->requests = NULL;
}

void ws_peer_forget(struct ws_peer *p)
{
	p->seen_n = 0;
	p->seen[0] = '\0';
}

void ws_peer_small_window(struct ws_peer *p)
{
	int size = 8192;

	setsockopt(p->listening, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

void ws_peer_stall(struct ws_peer *p, bool stall)
{
	if (stall)
		stream_pause(p->stream);
	else
		stream_resume(p->stream);
}
