/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broken bridges: TLS, proxies and sockets. Each with every sentence that must
 * come out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* The given options stand on the second line. */
#define BRIDGE(options) "{'bridges': {'a': {'url': 'ws://h/',\n" options "}}}"

/* TLS. */
static const struct broken tls[] = {
	{ BRIDGE("'tls': true"), "FILE:2:8: bridges.a.tls: expected an object, found true" },
	{ BRIDGE("'tls': {'verfy': false}"),
	  "FILE:2:9: bridges.a.tls.verfy: unknown key; did you mean \"verify\"?" },
	{ BRIDGE("'tls': {'verify': 'no'}"),
	  "FILE:2:19: bridges.a.tls.verify: expected true or false, found a string" },
	{ BRIDGE("'tls': {'verify_hostname': null}"),
	  "FILE:2:28: bridges.a.tls.verify_hostname: expected true or false, found null" },
	{ BRIDGE("'tls': {'ca_file': 'ca.pem'}"),
	  "FILE:2:20: bridges.a.tls.ca_file: must be an absolute path" },
	{ BRIDGE("'tls': {'ca_dir': ''}"),
	  "FILE:2:19: bridges.a.tls.ca_dir: must be an absolute path" },
	{ BRIDGE("'tls': {'ca_file': null}"),
	  "FILE:2:20: bridges.a.tls.ca_file: expected a string, found null" },
	{ BRIDGE("'tls': {'cert': '/c\\n'}"),
	  "FILE:2:17: bridges.a.tls.cert: must not contain control characters" },
	{ BRIDGE("'tls': {'key': '/k'}"), "FILE:2:9: bridges.a.tls.key: needs \"cert\" beside it" },
	{ BRIDGE("'tls': {'key_password': 'canary'}"),
	  "FILE:2:9: bridges.a.tls.key_password: needs \"cert\" beside it" },
	{ BRIDGE("'tls': {'cert': '/c', 'key_password': {'env': 'can ary'}}"),
	  "FILE:2:47: bridges.a.tls.key_password.env: must be the name of a variable: letters, "
	  "digits and _" },
	{ BRIDGE("'tls': {'cert': '/c', 'key_password': 'can\\u0007ary'}"),
	  "FILE:2:39: bridges.a.tls.key_password: must not contain control characters" },
	{ BRIDGE("'tls': {'server_name': ''}"),
	  "FILE:2:24: bridges.a.tls.server_name: must not be empty" },
	{ BRIDGE("'tls': {'server_name': '.example.net'}"),
	  "FILE:2:24: bridges.a.tls.server_name: must not begin with a dot" },
	{ BRIDGE("'tls': {'server_name': '[::1]'}"),
	  "FILE:2:24: bridges.a.tls.server_name: must be a host name, or an address without "
	  "brackets" },
	{ BRIDGE("'tls': {'server_name': 'a b'}"), "FILE:2:24: bridges.a.tls.server_name: must be "
						   "a host name, or an address without brackets" },
	{ BRIDGE("'tls': {'server_name': "
		 "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaa'}"),
	  "FILE:2:24: bridges.a.tls.server_name: has 254 bytes, more than 253" },
	{ BRIDGE("'tls': {'min_version': '1.1'}"), "FILE:2:24: bridges.a.tls.min_version: expected "
						   "\"1.2\" or \"1.3\"; did you mean \"1.2\"?" },
	{ BRIDGE("'tls': {'min_version': 1.2}"),
	  "FILE:2:24: bridges.a.tls.min_version: expected \"1.2\" or \"1.3\", found a number with "
	  "a fraction" },
	{ BRIDGE("'tls': {'max_version': 'TLSv1.3'}"),
	  "FILE:2:24: bridges.a.tls.max_version: expected \"1.2\" or \"1.3\"" },
	{ BRIDGE("'tls': {'min_version': '1.3', 'max_version': '1.2'}"),
	  "FILE:2:46: bridges.a.tls.max_version: is below \"min_version\"" },
	{ BRIDGE("'tls': {'ciphers': ''}"), "FILE:2:20: bridges.a.tls.ciphers: must not be empty" },
	{ BRIDGE("'tls': {'ciphersuites': 'TLS_AES_256_GCM_SHA384 TLS_AES_128_GCM_SHA256'}"),
	  "FILE:2:25: bridges.a.tls.ciphersuites: must be names of OpenSSL with colons between "
	  "them" },
	{ BRIDGE("'tls': {'groups': ['X25519']}"),
	  "FILE:2:19: bridges.a.tls.groups: expected a string, found a list" },
	{ BRIDGE("'tls': {'pin_sha256': '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='}"),
	  "FILE:2:23: bridges.a.tls.pin_sha256: expected a list of strings, found a string" },
	{ BRIDGE("'tls': {'pin_sha256': ['47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', 'x', "
		 "'47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', 5]}"),
	  "FILE:2:72: bridges.a.tls.pin_sha256[1]: must be a SHA-256 digest in 44 characters of "
	  "Base64\n"
	  "FILE:2:77: bridges.a.tls.pin_sha256[2]: is in the list already, at [0]\n"
	  "FILE:2:125: bridges.a.tls.pin_sha256[3]: expected a string, found a number" },
	{ BRIDGE("'tls': {'pin_sha256': ['sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=']}"),
	  "FILE:2:24: bridges.a.tls.pin_sha256[0]: must be a SHA-256 digest in 44 characters of "
	  "Base64" },
	{ BRIDGE("'tls': {'pin_sha256': ['47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=']}"),
	  "FILE:2:24: bridges.a.tls.pin_sha256[0]: must be a SHA-256 digest in 44 characters of "
	  "Base64" },
	{ BRIDGE("'tls': {'pin_sha256': ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!']}"),
	  "FILE:2:24: bridges.a.tls.pin_sha256[0]: must be a SHA-256 digest in 44 characters of "
	  "Base64" },
	{ BRIDGE("'tls': {'keylog_file': 'keys.log'}"),
	  "FILE:2:24: bridges.a.tls.keylog_file: must be an absolute path" },
};

/* Proxies; a URL of one may hold a password. */
static const struct broken proxy[] = {
	{ BRIDGE("'proxy': 5"), "FILE:2:10: bridges.a.proxy: expected the URL of a proxy, \"env\" "
				"or null, found a number" },
	{ BRIDGE("'proxy': false"),
	  "FILE:2:10: bridges.a.proxy: expected the URL of a proxy, \"env\" or null, found false" },
	{ BRIDGE("'proxy': ''"),
	  "FILE:2:10: bridges.a.proxy: the URL of a proxy must begin with http://, https://, "
	  "socks4://, socks4a://, socks5:// or socks5h://" },
	{ BRIDGE("'proxy': 'canary'"),
	  "FILE:2:10: bridges.a.proxy: the URL of a proxy must begin with http://, https://, "
	  "socks4://, socks4a://, socks5:// or socks5h://" },
	{ BRIDGE("'proxy': 'environment'"),
	  "FILE:2:10: bridges.a.proxy: the URL of a proxy must begin with http://, https://, "
	  "socks4://, socks4a://, socks5:// or socks5h://" },
	{ BRIDGE("'proxy': 'h:3128'"),
	  "FILE:2:10: bridges.a.proxy: the URL of a proxy must begin with http://, https://, "
	  "socks4://, socks4a://, socks5:// or socks5h://" },
	{ BRIDGE("'proxy': 'ftp://u:canary@h'"),
	  "FILE:2:10: bridges.a.proxy: the URL of a proxy must begin with http://, https://, "
	  "socks4://, socks4a://, socks5:// or socks5h://" },
	{ BRIDGE("'proxy': 'http://u:canary@'"),
	  "FILE:2:10: bridges.a.proxy: the host is missing" },
	{ BRIDGE("'proxy': 'http://u:canary@h:0'"),
	  "FILE:2:10: bridges.a.proxy: the port is not a number from 1 to 65535" },
	{ BRIDGE("'proxy': 'http://u:can/ary@h'"),
	  "FILE:2:10: bridges.a.proxy: behind host and port of a proxy nothing may follow; \"/\", "
	  "\"?\" and \"#\" in a password must be percent-encoded" },
	{ BRIDGE("'proxy': 'http://u:can#ary@h'"),
	  "FILE:2:10: bridges.a.proxy: behind host and port of a proxy nothing may follow; \"/\", "
	  "\"?\" and \"#\" in a password must be percent-encoded" },
	{ BRIDGE("'proxy': 'http://h:3128/path'"),
	  "FILE:2:10: bridges.a.proxy: behind host and port of a proxy nothing may follow; \"/\", "
	  "\"?\" and \"#\" in a password must be percent-encoded" },
	{ BRIDGE("'proxy': 'http://u:can@ary@h'"), "FILE:2:10: bridges.a.proxy: an \"@\" in the "
						   "user name or password must be written as %40" },
	{ BRIDGE("'proxy': 'http://u:%zzcanary@h'"),
	  "FILE:2:10: bridges.a.proxy: the user name or password has a wrong percent-encoding" },
	{ BRIDGE("'proxy': 'http://u:can ary@h'"),
	  "FILE:2:10: bridges.a.proxy: the URL has white space in it" },
	{ BRIDGE("'proxy': 'http://u:99canary'"),
	  "FILE:2:10: bridges.a.proxy: the port is not a number from 1 to 65535" },
	{ BRIDGE("'proxy': 'socks5h://[::1'"),
	  "FILE:2:10: bridges.a.proxy: the bracket around the IPv6 address is not closed" },
	{ BRIDGE("'proxy': "
		 "'socks5h://"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaa'"),
	  "FILE:2:10: bridges.a.proxy: the host is longer than 253 bytes" },
	{ BRIDGE("'proxy_password': 5"),
	  "FILE:2:19: bridges.a.proxy_password: expected a string or an object with \"file\", "
	  "\"env\", \"credential\" or \"command\", found a number" },
	{ BRIDGE("'proxy_password': {'command': ['canary']}"),
	  "FILE:2:32: bridges.a.proxy_password.command[0]: must be an absolute path" },
	{ BRIDGE("'proxy': 'http://h', 'proxy_password': 'canary'"),
	  "FILE:2:22: bridges.a.proxy_password: needs a user name in the URL of \"proxy\"" },
	{ BRIDGE("'no_proxy': 'localhost'"),
	  "FILE:2:13: bridges.a.no_proxy: expected a list of strings, found a string" },
	{ BRIDGE("'no_proxy': ['', '.', 'a,b', 'a b', '*.x', 5]"),
	  "FILE:2:14: bridges.a.no_proxy[0]: must be a host, .SUFFIX, an address, a CIDR block or "
	  "\"*\"\n"
	  "FILE:2:18: bridges.a.no_proxy[1]: must be a host, .SUFFIX, an address, a CIDR block or "
	  "\"*\"\n"
	  "FILE:2:23: bridges.a.no_proxy[2]: must be a host, .SUFFIX, an address, a CIDR block or "
	  "\"*\"\n"
	  "FILE:2:30: bridges.a.no_proxy[3]: must be a host, .SUFFIX, an address, a CIDR block or "
	  "\"*\"\n"
	  "FILE:2:37: bridges.a.no_proxy[4]: a \"*\" stands alone; all names below one are .NAME\n"
	  "FILE:2:44: bridges.a.no_proxy[5]: expected a string, found a number" },
	{ BRIDGE("'no_proxy': ['10.0.0.0/33', '::/129', '10.0.0/8', '10.0.0.0/', 'h/8']"),
	  "FILE:2:14: bridges.a.no_proxy[0]: behind the \"/\" a number of bits from 0 to 32 must "
	  "stand\n"
	  "FILE:2:29: bridges.a.no_proxy[1]: behind the \"/\" a number of bits from 0 to 128 must "
	  "stand\n"
	  "FILE:2:39: bridges.a.no_proxy[2]: what stands before the \"/\" is not an IPv4 or IPv6 "
	  "address\n"
	  "FILE:2:51: bridges.a.no_proxy[3]: behind the \"/\" a number of bits from 0 to 32 must "
	  "stand\n"
	  "FILE:2:64: bridges.a.no_proxy[4]: what stands before the \"/\" is not an IPv4 or IPv6 "
	  "address" },
	{ BRIDGE("'no_proxy': ['h:', 'h:0', '[::1', '[h]', '[::1]80', '[::1]:x']"),
	  "FILE:2:14: bridges.a.no_proxy[0]: the port is not a number from 1 to 65535\n"
	  "FILE:2:20: bridges.a.no_proxy[1]: the port is not a number from 1 to 65535\n"
	  "FILE:2:27: bridges.a.no_proxy[2]: what stands in the brackets is not an IPv6 address\n"
	  "FILE:2:35: bridges.a.no_proxy[3]: what stands in the brackets is not an IPv6 address\n"
	  "FILE:2:42: bridges.a.no_proxy[4]: what stands in the brackets is not an IPv6 address\n"
	  "FILE:2:53: bridges.a.no_proxy[5]: the port is not a number from 1 to 65535" },
};

/* The socket. */
static const struct broken socket[] = {
	{ BRIDGE("'socket': {'keepalive': 5}"), "FILE:2:25: bridges.a.socket.keepalive: expected "
						"an object, true, false or null, found a number" },
	{ BRIDGE("'socket': {'keepalive': 'on'}"),
	  "FILE:2:25: bridges.a.socket.keepalive: expected an object, true, false or null, found a "
	  "string" },
	{ BRIDGE("'socket': {'keepalive': {'idel': 5}}"),
	  "FILE:2:26: bridges.a.socket.keepalive.idel: unknown key; did you mean \"idle\"?" },
	{ BRIDGE("'socket': {'keepalive': {'idle': 0}}"),
	  "FILE:2:34: bridges.a.socket.keepalive.idle: must be between 1s and 32767s" },
	{ BRIDGE("'socket': {'keepalive': {'idle': '10h', 'interval': '1ms', 'count': 128}}"),
	  "FILE:2:34: bridges.a.socket.keepalive.idle: must be between 1s and 32767s\n"
	  "FILE:2:53: bridges.a.socket.keepalive.interval: must be between 1s and 32767s\n"
	  "FILE:2:69: bridges.a.socket.keepalive.count: must be between 1 and 127" },
	{ BRIDGE("'compression': 'on'"), "FILE:2:16: bridges.a.compression: expected an object, "
					 "true, false or null, found a string" },
	{ BRIDGE("'compression': {'client_max_window_bits': 8, 'server_max_window_bits': 7}"),
	  "FILE:2:43: bridges.a.compression.client_max_window_bits: must be between 9 and 15\n"
	  "FILE:2:72: bridges.a.compression.server_max_window_bits: must be between 8 and 15" },
	{ BRIDGE("'compression': {'level': 0, 'threshold': '-1', 'release_after': '1ms'}"),
	  "FILE:2:26: bridges.a.compression.level: must be between 1 and 9\n"
	  "FILE:2:42: bridges.a.compression.threshold: \"-1\" is not a size: a whole number is "
	  "missing\n"
	  "FILE:2:65: bridges.a.compression.release_after: must be 0 (\"off\") or between 100ms "
	  "and 1d" },
	{ BRIDGE("'socket': {'user_timeout': -1}"),
	  "FILE:2:28: bridges.a.socket.user_timeout: must be 0 (\"off\") or between 1ms and 1d" },
	{ BRIDGE("'socket': {'bind_address': 'localhost'}"),
	  "FILE:2:28: bridges.a.socket.bind_address: must be an IPv4 or IPv6 address, without "
	  "brackets and port" },
	{ BRIDGE("'socket': {'bind_address': '127.0.0.1:80'}"),
	  "FILE:2:28: bridges.a.socket.bind_address: must be an IPv4 or IPv6 address, without "
	  "brackets and port" },
	{ BRIDGE("'socket': {'bind_address': '[::1]'}"),
	  "FILE:2:28: bridges.a.socket.bind_address: must be an IPv4 or IPv6 address, without "
	  "brackets and port" },
	{ BRIDGE("'socket': {'bind_address': '127.0.0.1%lo'}"),
	  "FILE:2:28: bridges.a.socket.bind_address: must be an IPv4 or IPv6 address, without "
	  "brackets and port" },
	{ BRIDGE("'socket': {'bind_address': '127.0.0.1', 'family': 'ipv6'}"),
	  "FILE:2:28: bridges.a.socket.bind_address: is an IPv4 address, but \"family\" is "
	  "\"ipv6\"" },
	{ BRIDGE("'socket': {'bind_address': '::1', 'family': 'ipv4'}"),
	  "FILE:2:28: bridges.a.socket.bind_address: is an IPv6 address, but \"family\" is "
	  "\"ipv4\"" },
	{ BRIDGE("'socket': {'bind_device': ''}"),
	  "FILE:2:27: bridges.a.socket.bind_device: the name of an interface has 1 to 15 bytes" },
	{ BRIDGE("'socket': {'bind_device': 'sixteen-letters-'}"),
	  "FILE:2:27: bridges.a.socket.bind_device: the name of an interface has 1 to 15 bytes" },
	{ BRIDGE("'socket': {'bind_device': 'a/b'}"),
	  "FILE:2:27: bridges.a.socket.bind_device: is not the name of an interface" },
	{ BRIDGE("'socket': {'mark': -1}"),
	  "FILE:2:20: bridges.a.socket.mark: must be between 0 and 4294967295" },
	{ BRIDGE("'socket': {'mark': 4294967296}"),
	  "FILE:2:20: bridges.a.socket.mark: must be between 0 and 4294967295" },
	{ BRIDGE("'socket': {'mark': '0x1'}"),
	  "FILE:2:20: bridges.a.socket.mark: expected a whole number, found a string" },
	{ BRIDGE("'socket': {'rcvbuf': 1}"),
	  "FILE:2:22: bridges.a.socket.rcvbuf: must be 0 or between 1K and 1G" },
	{ BRIDGE("'socket': {'sndbuf': '2G'}"),
	  "FILE:2:22: bridges.a.socket.sndbuf: must be 0 or between 1K and 1G" },
	{ BRIDGE("'socket': {'family': 'ipv5'}"),
	  "FILE:2:22: bridges.a.socket.family: expected \"any\", \"ipv4\" or \"ipv6\"; did you "
	  "mean \"ipv4\"?" },
	{ BRIDGE("'socket': {'family': 4}"), "FILE:2:22: bridges.a.socket.family: expected "
					     "\"any\", \"ipv4\" or \"ipv6\", found a number" },
};

static void test_tls(void **state)
{
	(void)state;
	config_check_broken(tls, COUNT(tls));
}

static void test_proxy(void **state)
{
	(void)state;
	config_check_broken(proxy, COUNT(proxy));
}

static void test_socket(void **state)
{
	(void)state;
	config_check_broken(socket, COUNT(socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
