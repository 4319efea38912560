/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that travel on the control socket: methods, their parameters, and
 * the fields of results and errors. Shared with the command line, so that a
 * name is spelled in one place only. Keys of a bridge are not here: they are
 * the option table's.
 */
#ifndef WSB_CONTROL_NAMES_H
#define WSB_CONTROL_NAMES_H

#define METHOD_OPEN "open"
#define METHOD_CLOSE "close"
#define METHOD_SEND "send"
#define METHOD_STATUS "status"
#define METHOD_RECONNECT "reconnect"
#define METHOD_EXPLAIN "explain"
#define METHOD_RELOAD "reload"
#define METHOD_LOG "log"
#define METHOD_TRACE "trace"
#define METHOD_METRICS "metrics"
#define METHOD_SHUTDOWN "shutdown"
#define METHOD_VERSION "version"
#define METHOD_DISCOVER "rpc.discover"
#define METHOD_WAIT "wait"
#define METHOD_PING "ping"
#define METHOD_RECV "recv"
#define METHOD_REQUEST "request"
#define METHOD_SUBSCRIBE "subscribe"
#define METHOD_UNSUBSCRIBE "unsubscribe"
#define NOTIFICATION_EVENT "event" /* of a subscription */

/* Parameters. */
#define PARAM_NAME "name"
#define PARAM_WAIT "wait"
#define PARAM_DRY_RUN "dry_run"
#define PARAM_CODE "code"
#define PARAM_REASON "reason"
#define PARAM_TEXT "text"
#define PARAM_JSON "json"
#define PARAM_BINARY "binary"
#define PARAM_PING "ping"
#define PARAM_PONG "pong"
#define PARAM_QUEUE "queue"
#define PARAM_TIMEOUT "timeout"
#define PARAM_LEVEL "level"
#define PARAM_FOR "for"
#define PARAM_STATE "state"
#define PARAM_COUNT "count"
#define PARAM_MATCH "match"
#define PARAM_EVENTS "events"
#define PARAM_SINCE "since"
#define PARAM_SUBSCRIPTION "subscription"

/* `status`: {daemon: {…}, bridges: [{…}]}. `open`, `close`, `reconnect`: one such bridge. */
#define FIELD_DAEMON "daemon"
#define FIELD_BRIDGES "bridges"
#define FIELD_BRIDGE "bridge"

/* A bridge. */
#define FIELD_NAME "name"
#define FIELD_STATE "state"
#define FIELD_SINCE "since"
#define FIELD_URL "url"
#define FIELD_SUBPROTOCOL "subprotocol"
/* null, or {extension, client_max_window_bits…, rx: {messages, bytes, wire_bytes}, tx} */
#define FIELD_COMPRESSION "compression"
#define FIELD_EXTENSION "extension"
#define FIELD_CLIENT_MAX_WINDOW_BITS "client_max_window_bits"
#define FIELD_SERVER_MAX_WINDOW_BITS "server_max_window_bits"
#define FIELD_CLIENT_NO_CONTEXT_TAKEOVER "client_no_context_takeover"
#define FIELD_SERVER_NO_CONTEXT_TAKEOVER "server_no_context_takeover"
#define FIELD_WIRE_BYTES "wire_bytes"
#define FIELD_PEER "peer"
#define FIELD_TLS "tls"
#define FIELD_HANDSHAKE "handshake" /* {status, headers: {name: value or [values]}} */
#define FIELD_STATUS "status"
#define FIELD_HEADERS "headers"
#define FIELD_BODY "body"	/* of a refusal: the first 4 KiB */
#define FIELD_TIMINGS "timings" /* seconds by stage */
#define FIELD_CIPHER "cipher"
#define FIELD_VERIFIED "verified"
#define FIELD_KTLS "ktls"
#define FIELD_SUBJECT "subject"
#define FIELD_ISSUER "issuer"
#define FIELD_SANS "sans"
#define FIELD_NOT_BEFORE "not_before"
#define FIELD_NOT_AFTER "not_after"
#define FIELD_ATTEMPTS "attempts"
#define FIELD_RECONNECTS "reconnects"
#define FIELD_EPOCH "epoch"
#define FIELD_RETRY_IN "retry_in"
#define FIELD_LAST_ERROR "last_error" /* {code, message, kind, stage…, at} */
#define FIELD_LAST_CLOSE "last_close" /* {code, reason, clean} */
#define FIELD_REASON "reason"
#define FIELD_CLEAN "clean"
#define FIELD_RTT "rtt"
#define FIELD_SRTT "srtt"
#define FIELD_FLAPPING "flapping"
#define FIELD_LAST_RX "last_rx"
#define FIELD_RX "rx" /* {messages, bytes} */
#define FIELD_TX "tx"
#define FIELD_MESSAGES "messages"
#define FIELD_BYTES "bytes"
#define FIELD_UNACKED "unacked"
#define FIELD_UNSENT "unsent"
#define FIELD_SEQ "seq"
#define FIELD_PAUSED "paused"
#define FIELD_DROPPED "dropped"
#define FIELD_UNHEARD "unheard"
#define FIELD_REFUSED "refused"
#define FIELD_OUTBOX "outbox" /* {messages, bytes, expired, dropped, rejected} */
#define FIELD_EXPIRED "expired"
#define FIELD_REJECTED "rejected"
#define FIELD_ENDPOINTS "endpoints" /* [{endpoint, clients, pending, dropped…}] */
#define FIELD_PENDING "pending"
#define FIELD_UNFIT "unfit"
#define FIELD_REPLACED "replaced"
#define FIELD_REFUSED_CLIENTS "refused_clients"
#define FIELD_CLIENTS "clients" /* [{endpoint, pid, uid, queued, dropped, sent, received, slow}] */
#define FIELD_ENDPOINT "endpoint"
#define FIELD_PID "pid"
#define FIELD_UID "uid"
#define FIELD_QUEUED "queued"
#define FIELD_SENT "sent"
#define FIELD_RECEIVED "received"
#define FIELD_SLOW "slow"
#define FIELD_SOURCE "source" /* "file" or "control" */
#define FIELD_TRACE "trace"   /* until when, null if it is not traced; in `explain`, too */

/* The daemon. */
#define FIELD_VERSION "version"
#define FIELD_STARTED "started"
#define FIELD_UPTIME "uptime"
#define FIELD_CONFIG "config"
#define FIELD_CONTROL_CLIENTS "control_clients"
#define FIELD_WAITING "waiting"
#define FIELD_SUBSCRIPTIONS "subscriptions"
#define FIELD_NOW "now"
#define FIELD_MAX "max"
#define FIELD_LIMITS "limits"
#define FIELD_LOG_DROPPED "log_dropped"
#define FIELD_FEATURES "features"

/* `reload`: {added, changed, removed, unchanged}. */
#define FIELD_ADDED "added"
#define FIELD_CHANGED "changed"
#define FIELD_REMOVED "removed"
#define FIELD_UNCHANGED "unchanged"
#define FIELD_DRY_RUN "dry_run" /* in the result of every call that only looked */

/* `log`: {level}; `trace`: {traces: [{name, until}]}; `metrics`: {content_type, text}. */
#define FIELD_LEVEL "level"
#define FIELD_TRACES "traces"
#define FIELD_UNTIL "until"
#define FIELD_CONTENT_TYPE "content_type"
#define FIELD_METRICS_TEXT "text"

/* `explain`: {name, state, history: [{at, event, …}]}. */
#define FIELD_HISTORY "history"
#define FIELD_EVENT "event"	/* EVENT_, by which the other fields go */
#define EVENT_STATE "state"	/* state, message */
#define EVENT_ATTEMPT "attempt" /* url */
#define EVENT_OPENED "opened"	/* message, took */
#define EVENT_ENDED "ended"	/* message, kind, stage, status, close_code, open_for, retry_in */
#define FIELD_TOOK "took"
#define FIELD_OPEN_FOR "open_for"

/* A message: in `request`, `recv` and the event "message". */
#define FIELD_TYPE "type" /* "text" or "binary", whose data is Base64 */
#define FIELD_FIN "fin"	  /* false: a fragment, and others follow */
#define FIELD_TIME "time"

/* Events: {subscription, event, bridge, cursor, time, …}; EVENT_STATE is one of them. */
#define FIELD_SUBSCRIPTION "subscription"
#define FIELD_CURSOR "cursor"
#define EVENT_MESSAGE "message" /* type, data, seq, epoch */
#define EVENT_OPEN "open"	/* url, subprotocol, epoch */
#define EVENT_CLOSE "close"	/* code, reason, clean, retry_in */
#define EVENT_PING "ping"	/* data */
#define EVENT_PONG "pong"
#define EVENT_ERROR "error" /* error */
#define EVENT_GAP "gap"	    /* dropped, null if nobody knows how many */
#define FIELD_ERROR "error"

/* error.data. */
#define FIELD_CODE "code"
#define FIELD_MESSAGE "message"
#define FIELD_DATA "data"
#define FIELD_KIND "kind"
#define FIELD_STAGE "stage"
#define FIELD_CLOSE_CODE "close_code"
#define FIELD_OPTION "option"
#define FIELD_RETRYABLE "retryable"
#define FIELD_ERRORS "errors" /* of `reload`: every sentence about the file */
#define FIELD_AT "at"

#endif
