// SPDX-License-Identifier: Apache-2.0
// A bridge on the ws package of node: messages that come with one read are written to the clients
// at once (cork), likewise the other way; reading stops while the other side does not take more.
// Usage: node peer_node.js [--tls] [--deflate] ADDRESS:PORT PATH
'use strict';

const net = require('net');
const WebSocket = require('ws');

const switches = new Set(process.argv.slice(2).filter((arg) => arg.startsWith('--')));
const [address, path] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const clients = new Set();
const newline = Buffer.from('\n');

const ws = new WebSocket((switches.has('--tls') ? 'wss://' : 'ws://') + address, {
	perMessageDeflate: switches.has('--deflate'),
	rejectUnauthorized: false,
	skipUTF8Validation: false,
});

function uncorkLater(socket) {
	if (!socket.writableCorked) {
		socket.cork();
		setImmediate(() => socket.uncork());
	}
}

ws.on('message', (data) => {
	for (const client of clients) {
		uncorkLater(client);
		client.write(data);
		if (!client.write(newline) && !client.waiting) {
			client.waiting = true;
			ws.pause();
			client.once('drain', () => {
				client.waiting = false;
				if (![...clients].some((other) => other.waiting))
					ws.resume();
			});
		}
	}
});
ws.on('close', () => {
	if (!clients.size)
		process.exit(0);
	for (const client of clients)
		client.end();
});
ws.on('error', (error) => {
	console.error(error.message);
	process.exit(1);
});

function sendLines(client, text) {
	let start = 0;
	for (let end; (end = text.indexOf(10, start)) >= 0; start = end + 1)
		ws.send(text.subarray(start, end), { binary: false });
	client.rest = text.subarray(start);
}

ws.on('open', () => {
	const server = net.createServer((client) => {
		clients.add(client);
		client.rest = Buffer.alloc(0);
		client.on('data', (data) => {
			uncorkLater(ws._socket);
			sendLines(client, client.rest.length ? Buffer.concat([client.rest, data]) : data);
			if (ws.bufferedAmount > 1 << 20 && !client.isPaused()) {
				client.pause();
				ws._socket.once('drain', () => client.resume());
			}
		});
		client.on('error', () => client.destroy());
		client.on('close', () => {
			clients.delete(client);
			if (!clients.size && ws.readyState === WebSocket.CLOSED)
				process.exit(0);
		});
	});
	server.listen(path);
});
