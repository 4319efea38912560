// SPDX-License-Identifier: Apache-2.0
/*
 * The same as real_server.py, made of the ws package, as far as the tests need a second server:
 * paths /, /fragments, /silent; commands text, count, binary, close, told; --deflate has ws's options for it.
 */
'use strict';

const readline = require('readline');
const { WebSocketServer } = require('ws');

const connections = new Set();

function tell(event, fields) {
	process.stdout.write(JSON.stringify({ event, ...fields }) + '\n');
}

function sendFragments(ws, data, binary, size) {
	for (let i = 0; i < data.length; i += size)
		ws.send(data.subarray(i, i + size), { binary, fin: i + size >= data.length });
	if (data.length === 0)
		ws.send(data, { binary });
}

function serve(ws, request) {
	const url = new URL(request.url, 'ws://localhost');
	const raw = request.rawHeaders;
	const headers = raw.filter((_, i) => i % 2 === 0).map((name, i) => [name, raw[2 * i + 1]]);

	ws.mode = url.pathname;
	connections.add(ws);
	tell('open', { path: url.pathname, headers, subprotocol: ws.protocol || null });
	ws.on('message', (data, binary) => {
		if (url.searchParams.has('log'))
			tell('message', {
				path: url.pathname,
				text: binary ? null : data.toString(),
				binary: binary ? data.toString('base64') : null,
			});
		if (url.pathname === '/fragments')
			sendFragments(ws, data, binary, Number(url.searchParams.get('size') || 7));
		else if (url.pathname !== '/silent')
			ws.send(data, { binary });
	});
	ws.on('error', () => {});
	ws.on('close', (code, reason) => {
		connections.delete(ws);
		tell('close', { path: url.pathname, code, reason: reason.toString() });
	});
}

function obey(ws, command) {
	if ('close' in command)
		ws.close(command.close, command.reason || '');
	else if ('binary' in command)
		ws.send(Buffer.from(command.binary, 'base64'));
	else if ('count' in command)
		for (let i = 0; i < command.count; i++)
			ws.send(`${i} ${command.text}`);
	else
		ws.send(command.text);
}

function option(name, otherwise) {
	const at = process.argv.indexOf(name);

	return at < 0 ? otherwise : JSON.parse(process.argv[at + 1]);
}

const server = new WebSocketServer(
	{ host: '127.0.0.1', port: option('--port', 0), maxPayload: 0, perMessageDeflate: option('--deflate', false) },
	() => tell('listening', { port: server.address().port }));

server.on('connection', serve);
readline.createInterface({ input: process.stdin })
	.on('line', (line) => {
		const command = JSON.parse(line);

		if ('told' in command) {
			tell('told', { number: command.told });
			return;
		}
		for (const ws of connections)
			if (!('path' in command) || command.path === ws.mode)
				obey(ws, command);
	})
	.on('close', () => process.exit(0)); // ends with the test that started it
