#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// endpoint.js SOCKET TEXT: send a message by an endpoint (framing json), print the next one.
const net = require('node:net');
const readline = require('node:readline');

function fail(why) {
    console.error(`endpoint: ${why}`);
    process.exit(1);
}

async function main(path, text) {
    const bridge = net.createConnection(path).on('error', e => fail(e.message));
    bridge.setTimeout(10000, () => fail('no answer'));
    bridge.write(JSON.stringify({ type: 'text', data: text, id: 1 }) + '\n');
    for await (const line of readline.createInterface({ input: bridge })) {
        const record = JSON.parse(line);
        if (record.type === 'text') {
            console.log(record.data);
            return bridge.destroy();
        }
        if (record.type === 'error') fail(record.error.message);
    }
    fail('the daemon has closed the connection');
}

main(...process.argv.slice(2));
