/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the control socket and what is made of them: the requests, or the
 * exact error.
 */
#ifndef WSB_TESTS_CONTROL_RPC_LINES_H
#define WSB_TESTS_CONTROL_RPC_LINES_H

#include <stddef.h>

struct rpc_line_row {
	const char *line;
	size_t n;
	const char *verdict;
};

#define ROW(line, verdict)                      \
	{                                       \
		line, sizeof(line) - 1, verdict \
	}

/*
 * `METHOD PARAMS #ID`, `#-` without an id; words of the shorthand in brackets;
 * errors as CODE TEXT.
 */
static const struct rpc_line_row rpc_lines[] = {
	ROW("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}", "status #1"),
	ROW("{\"id\":1,\"method\":\"status\"}", "status #1"),
	ROW("  {\"id\":1,\"method\":\"status\"}\r", "status #1"),
	ROW("\t{\"id\" : 1 , \"method\" : \"status\" }  ", "status #1"),
	ROW("{\"method\":\"status\"}", "status #-"),
	ROW("{\"id\":null,\"method\":\"status\"}", "status #null"),
	ROW("{\"id\":-9223372036854775808,\"method\":\"status\"}", "status #-9223372036854775808"),
	ROW("{\"id\":9223372036854775807,\"method\":\"status\"}", "status #9223372036854775807"),
	ROW("{\"id\":\"\",\"method\":\"status\"}", "status #\"\""),
	ROW("{\"id\":\"\\u00e4\\ud83d\\ude00\",\"method\":\"status\"}",
	    "status #\"\303\244\360\237\230\200\""),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":{}}", "status {} #1"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":[]}", "status #1"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":{\"name\":\"feed\"}}",
	    "status {\"name\":\"feed\"} #1"),
	ROW("{\"id\":1,\"method\":\"\",\"params\":{}}", " {} #1"),
	ROW("{\"id\":1,\"method\":\"no.such\"}", "no.such #1"),
	ROW("{\"\\u006dethod\":\"status\",\"id\":2}", "status #2"),
	ROW("{\"id\":1.5,\"method\":\"status\"}",
	    "-32600 \"id\" must be a string of at most 128 bytes, an integer or null "
	    "#null"),
	ROW("{\"id\":true,\"method\":\"status\"}",
	    "-32600 \"id\" must be a string of at most 128 bytes, an integer or null "
	    "#null"),
	ROW("{\"id\":[1],\"method\":\"status\"}",
	    "-32600 \"id\" must be a string of at most 128 bytes, an integer or null "
	    "#null"),
	ROW("{\"id\":{\"a\":1},\"method\":\"status\"}",
	    "-32600 \"id\" must be a string of at most 128 bytes, an integer or null "
	    "#null"),
	ROW("{\"id\":9223372036854775808,\"method\":\"status\"}",
	    "-32700 not a JSON text: a number is too large (character 25) #null"),
	ROW("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}",
	    "-32600 \"jsonrpc\" must be \"2.0\" where it is given #1"),
	ROW("{\"jsonrpc\":2.0,\"id\":1,\"method\":\"status\"}",
	    "-32600 \"jsonrpc\" must be \"2.0\" where it is given #1"),
	ROW("{\"jsonrpc\":null,\"id\":1,\"method\":\"status\"}",
	    "-32600 \"jsonrpc\" must be \"2.0\" where it is given #1"),
	ROW("{\"jsonrpc\":\"2.0\\u0020\",\"id\":1,\"method\":\"status\"}",
	    "-32600 \"jsonrpc\" must be \"2.0\" where it is given #1"),
	ROW("{}", "-32600 \"method\" is missing #null"),
	ROW("{\"id\":7}", "-32600 \"method\" is missing #7"),
	ROW("{\"id\":7,\"method\":null}", "-32600 \"method\" must be a string #7"),
	ROW("{\"id\":7,\"method\":1}", "-32600 \"method\" must be a string #7"),
	ROW("{\"method\":[\"status\"],\"id\":7}", "-32600 \"method\" must be a string #7"),
	ROW("{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"}",
	    "-32600 \"method\" must be a string #null"),
	ROW("{\"id\":7,\"method\":\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
	    "mmmmmmmmmmmmmmm\"}",
	    "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm #7"),
	ROW("{\"id\":7,\"method\":\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
	    "mmmmmmmmmmmmmmmm\"}",
	    "-32601 no method has such a long name #7"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":[\"feed\"]}",
	    "-32600 \"params\" must be an object: parameters go by name #1"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":\"feed\"}",
	    "-32600 \"params\" must be an object #1"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":null}",
	    "-32600 \"params\" must be an object #1"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":0}",
	    "-32600 \"params\" must be an object #1"),
	ROW("{\"method\":\"status\",\"params\":false}",
	    "-32600 \"params\" must be an object #null"),
	ROW("{\"id\":1,\"method\":\"status\",\"name\":\"feed\"}",
	    "-32600 unknown member \"name\": parameters go into \"params\" #1"),
	ROW("{\"id\":1,\"method\":\"status\",\"\\u001b[2J\":1}",
	    "-32600 unknown member \"\\x1b[2J\": parameters go into \"params\" #1"),
	ROW("{\"id\":1,\"result\":{}}", "-32600 \"method\" is missing #1"),
	ROW("{", "-32700 not a JSON text: it ends too early (character 1) #null"),
	ROW("{\"id\":1,\"method\":\"status\"",
	    "-32700 not a JSON text: it ends too early (character 25) #null"),
	ROW("{\"id\":1,\"method\":\"status\"}}",
	    "-32700 not a JSON text: there is something behind its end (character 27)"
	    " #null"),
	ROW("{\"id\":1,\"method\":\"status\"} {\"id\":2,\"method\":\"status\"}",
	    "-32700 not a JSON text: there is something behind its end (character 28)"
	    " #null"),
	ROW("{\"id\":1,\"method\":\"status\",}",
	    "-32700 not a JSON text: a syntax error (character 27) #null"),
	ROW("{'id':1}", "-32700 not a JSON text: a syntax error (character 2) #null"),
	ROW("{id:1}", "-32700 not a JSON text: a syntax error (character 3) #null"),
	ROW("{\"id\":1 \"method\":\"status\"}",
	    "-32700 not a JSON text: a syntax error (character 16) #null"),
	ROW("{\"id\":01,\"method\":\"status\"}",
	    "-32700 not a JSON text: a syntax error (character 7) #null"),
	ROW("{\"id\":1,\"method\":\"sta\ttus\"}",
	    "-32700 not a JSON text: a syntax error (character 21) #null"),
	ROW("{\"id\":1,\"method\":\"status\\u0000\"}",
	    "-32700 not a JSON text: a NUL character in a string (character 31) #null"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":{\"a\\u0000b\":1}}",
	    "-32700 not a JSON text: a NUL character in a string (character 46) #null"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":{\"a\":1e999}}",
	    "-32700 not a JSON text: a number is too large (character 45) #null"),
	ROW("{\"id\":1,\"method\":\"status\",\"params\":{\"a\":NaN}}",
	    "-32700 not a JSON text: a syntax error (character 43) #null"),
	ROW("{\"id\":1,\"id\":1,\"method\":\"status\"}",
	    "-32700 not a JSON text: a key comes twice (character 12) #null"),
	ROW("{\"id\":1,\"method\":\"send\",\"params\":{\"text\":\"a\",\"t\\u0065xt\":"
	    "\"b\"}}",
	    "-32700 not a JSON text: a key comes twice (character 56) #null"),
	ROW("{\"id\":1,\"method\":\"\377\"}",
	    "-32700 not a JSON text: not valid UTF-8 (character 18) #null"),
	ROW("{\"id\":1,\"method\":\"\300\257\"}",
	    "-32700 not a JSON text: not valid UTF-8 (character 18) #null"),
	ROW("{\"id\":1,\"method\":\"\\ud800\"}",
	    "-32700 not a JSON text: a syntax error (character 25) #null"),
	ROW("{\"id\":1,\"method\":\"\000\"}",
	    "-32700 not a JSON text: a syntax error (character 18) #null"),
	ROW("\357\273\277{\"id\":1,\"method\":\"status\"}",
	    "-32700 neither a JSON text nor METHOD [NAME] [key=value ...] #null"),
	ROW("{\"id\":1,\"method\":\"status\"} // comment",
	    "-32700 not a JSON text: there is something behind its end (character 28)"
	    " #null"),
	ROW("{\"id\":1,\"method\":\"open\",\"params\":{\"headers\":{\"Authorization\""
	    ":\"Bearer hush",
	    "-32700 not a JSON text: it ends too early (character 73) #null"),
	ROW("{\"id\":1,\"method\":\"send\",\"params\":{\"json\":[[[[[[[[[[[[[[[[[[[[["
	    "[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}",
	    "send {\"json\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]"
	    "]]]} #1"),
	ROW("{\"id\":1,\"method\":\"send\",\"params\":{\"json\":[[[[[[[[[[[[[[[[[[[[["
	    "[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}",
	    "-32700 nested deeper than 32 levels #null"),
	ROW("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	    "-32700 nested deeper than 32 levels #null"),
	ROW("{\"id\":1,\"method\":\"send\",\"params\":{\"text\":\"[[[[[[[[[[[[[[[[[[["
	    "[[[[[[[[[[[[[[[[[[[[[\"}}",
	    "send {\"text\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"} #1"),
	ROW("[]", "-32600 the batch is empty #null"),
	ROW("[ ]", "-32600 the batch is empty #null"),
	ROW("[1]", "batch: -32600 a request must be an object #null"),
	ROW("[1,2,3]", "batch: -32600 a request must be an object #null | -32600 a request must "
		       "be an object #null | -32600 a request must be an object #null"),
	ROW("[[]]", "batch: -32600 a request must be an object #null"),
	ROW("[{\"id\":1,\"method\":\"status\"}]", "batch: status #1"),
	ROW("[{\"id\":1,\"method\":\"status\"},{\"method\":\"status\"},{\"id\":2}]",
	    "batch: status #1 | status #- | -32600 \"method\" is missing #2"),
	ROW("[{\"id\":1,\"method\":\"status\"},{\"id\":1,\"method\":\"version\"}]",
	    "batch: status #1 | version #1"),
	ROW("[{\"id\":1,\"method\":\"status\"},",
	    "-32700 not a JSON text: it ends too early (character 28) #null"),
	ROW("[{\"id\":1,\"method\":\"status\"},]",
	    "-32700 not a JSON text: a syntax error (character 29) #null"),
	ROW("", "nothing"),
	ROW(" \t \r", "nothing"),
	ROW("status", "status #null"),
	ROW("  status  ", "status #null"),
	ROW("status\r", "status #null"),
	ROW("status ticker", "status [name=ticker] #null"),
	ROW("status\tticker", "status [name=ticker] #null"),
	ROW("rpc.discover", "rpc.discover #null"),
	ROW("STATUS", "STATUS #null"),
	ROW("send feed text=hello", "send [name=feed] [text=hello] #null"),
	ROW("send feed text=\"hello world\"", "send [name=feed] [text=\"hello world\"] #null"),
	ROW("send feed text=\"say \\\"hi\\\"\" queue=true",
	    "send [name=feed] [text=\"say \\\"hi\\\"\"] [queue=true] #null"),
	ROW("send feed json={\"a\": [1, \"} \"]}",
	    "send [name=feed] [json={\"a\": [1, \"} \"]}] #null"),
	ROW("send feed json=[1, 2] queue=false",
	    "send [name=feed] [json=[1, 2]] [queue=false] #null"),
	ROW("send name=feed text=", "send [name=feed] [text=] #null"),
	ROW("send feed text= queue=true", "send [name=feed] [text=] [queue=true] #null"),
	ROW("send feed text=a=b==c", "send [name=feed] [text=a=b==c] #null"),
	ROW("open feed url=ws://h/p?x=1 ping.interval=5s headers.X-Key=v wait=true",
	    "open [name=feed] [url=ws://h/p?x=1] [ping.interval=5s] [headers.X-Key=v]"
	    " [wait=true] #null"),
	ROW("send feed text=\303\244", "send [name=feed] [text=\303\244] #null"),
	ROW("send feed text=it\"s", "send [name=feed] [text=it\"s] #null"),
	ROW("send feed hello",
	    "-32700 word 3 is no key=value; a value with blanks goes in quotes: key="
	    "\"some text\" #null"),
	ROW("send feed hush world",
	    "-32700 word 3 is no key=value; a value with blanks goes in quotes: key="
	    "\"some text\" #null"),
	ROW("send feed =x", "-32700 word 3 has no key before its \"=\" #null"),
	ROW("status =", "-32700 word 2 has no key before its \"=\" #null"),
	ROW("send feed text=a text=b", "-32700 \"text\" comes twice #null"),
	ROW("send feed name=other", "-32700 \"name\" comes twice #null"),
	ROW("send feed text=\"open",
	    "-32700 word 3: its value begins like JSON, but does not end so #null"),
	ROW("send feed text=\"a\"b",
	    "-32700 word 3: its value begins like JSON, but does not end so #null"),
	ROW("send feed json={\"a\":1",
	    "-32700 word 3: its value begins like JSON, but does not end so #null"),
	ROW("send feed json=[1,2]x",
	    "-32700 word 3: its value begins like JSON, but does not end so #null"),
	ROW("123", "-32700 neither a JSON text nor METHOD [NAME] [key=value ...] #null"),
	ROW("\"status\"", "-32700 neither a JSON text nor METHOD [NAME] [key=value ...] #null"),
	ROW("-", "-32700 neither a JSON text nor METHOD [NAME] [key=value ...] #null"),
	ROW("status!", "-32700 neither a JSON text nor METHOD [NAME] [key=value ...] #null"),
	ROW("hello,world", "-32700 neither a JSON text nor METHOD [NAME] [key=value ...] #null"),
	ROW("st\344tus", "-32700 control characters, or not valid UTF-8 #null"),
	ROW("status \001", "-32700 control characters, or not valid UTF-8 #null"),
	ROW("status \177", "-32700 control characters, or not valid UTF-8 #null"),
	ROW("status \377\376", "-32700 control characters, or not valid UTF-8 #null"),
	ROW("GET / HTTP/1.1",
	    "-32700 word 3 is no key=value; a value with blanks goes in quotes: key="
	    "\"some text\" #null"),
	ROW("mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
	    "-32601 no method has such a long name #null"),
	ROW("\026\003\001\002\000\001", "-32700 control characters, or not valid UTF-8 #null"),
	ROW("\000\000\000\000", "-32700 control characters, or not valid UTF-8 #null"),
};

#define N_RPC_LINES (sizeof(rpc_lines) / sizeof(rpc_lines[0]))

#endif
