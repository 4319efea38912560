#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// control.js SOCKET NAME: the state of a bridge, a question to its server, and its next message.
const { EventEmitter, once } = require('node:events');
const net = require('node:net');
const readline = require('node:readline');

// Emits 'event' for each event. Calls may overlap: their answers are told apart by their ids.
class Control extends EventEmitter {
    #socket;
    #calls = new Map();
    #id = 0;

    constructor(path) {
        super();
        this.#socket = net.createConnection(path);
        this.#socket.on('error', e => this.#end(e));
        this.#socket.on('close', () => this.#end(new Error('the daemon has closed the connection')));
        readline.createInterface({ input: this.#socket })
            .on('line', line => this.#take(JSON.parse(line)))
            .on('error', e => this.#end(e)); // newer ones pass on what the socket says
    }

    call(method, params) {
        const id = ++this.#id;
        this.#socket.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }) + '\n');
        return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    }

    close() {
        this.#socket.destroy(); // with end() its events would go on
    }

    #take({ id, result, error, params }) {
        if (id === undefined) return this.emit('event', params);
        const call = this.#calls.get(id);
        this.#calls.delete(id);
        if (error) call.reject(new Error(`${error.message} (${error.data.kind})`));
        else call.resolve(result);
    }

    #end(error) {
        for (const call of this.#calls.values()) call.reject(error);
        this.#calls.clear();
    }
}

async function main(path, name) {
    const control = new Control(path);
    console.log(`${name} is ${(await control.call('status', { name })).bridges[0].state}`);
    const match = { pointer: '/id', equals: 1 };
    const answer = await control.call('request', { name, json: { id: 1 }, match });
    console.log(`answer: ${answer.data}`);
    await control.call('subscribe', { name, events: ['message'] });
    const first = once(control, 'event');
    await control.call('send', { name, text: 'hello' });
    console.log(`event: ${(await first)[0].data}`);
    control.close();
}

main(...process.argv.slice(2)).catch(e => {
    console.error(`control: ${e.message}`);
    process.exit(1);
});
