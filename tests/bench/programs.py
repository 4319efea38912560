# SPDX-License-Identifier: Apache-2.0
"""
The programs that bench.py measures: how each is started between the load server and the load
client, and which workloads it can do. `floor` programs do the least that any bridge must do; `peer`
programs are bridges on other libraries; `raw` ones copy bytes and know no WebSocket.
"""

import json
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PYTHON = '/usr/bin/python3'  # the one that sees the distribution's modules
SKILLS = {'plain', 'send', 'echo', 'tls', 'fanout', 'deflate', 'json'}


class Program:
    kind = 'peer'
    raw = False  # takes lines from the server, no WebSocket
    waits = False  # connects to the server only when its clients are there
    skills = SKILLS - {'json'}

    def __init__(self, tools):
        self.tools = tools

    def is_there(self):
        return True

    def version(self):
        return ''

    def tool(self, name):
        return os.path.join(self.tools.build, 'tests/bench', name)

    def can(self, load):
        return load.needs <= self.skills

    def command(self, load, place):
        raise NotImplementedError

    def environment(self):
        return None


class Ours(Program):
    name, kind = 'wsbridged', 'ours'
    skills = SKILLS

    def version(self):
        return output([self.daemon(), '--version']).split()[-1]

    def daemon(self):
        return os.path.join(self.tools.build, 'wsbridged')

    def command(self, load, place):
        # What is not a default: nothing may be dropped while the load client, which shares its
        # core with the load server, is not scheduled.
        endpoint = {'unix': place.socket, 'overflow': 'block', 'max_clients': 1000, **load.endpoint}
        bridge = {'url': f'{"wss" if load.tls else "ws"}://{place.address}/', 'endpoint': endpoint}
        if load.tls:
            bridge['tls'] = {'ca_file': place.certificate}
        config = {'limits': {'clients': 1000}, 'bridges': {'bench': bridge}}
        with open(place.path('config.json'), 'w', encoding='utf-8') as file:
            json.dump(config, file)
        return [self.daemon(), '-c', place.path('config.json'), '-s', place.path('control')]


class Relay(Program):
    name, kind, raw = 'relay', 'floor', True
    skills = {'plain', 'send', 'echo', 'fanout', 'json'}

    def command(self, load, place):
        return [self.tool('relay'), '--clients', str(load.clients), place.address, place.socket]


class TlsRelay(Program):
    name, kind, raw = 'tlsrelay', 'floor', True
    skills = {'plain', 'send', 'echo', 'tls'}

    def can(self, load):
        return load.tls and super().can(load)

    def command(self, load, place):
        return [self.tool('tlsrelay'), place.address, place.socket]


class InflateRelay(Program):
    name, kind, waits = 'inflaterelay', 'floor', True
    skills = {'plain', 'deflate'}

    def can(self, load):
        return load.deflate and super().can(load)

    def command(self, load, place):
        return [self.tool('inflaterelay'), place.address, place.socket]


class Zlib(InflateRelay):
    """Inflates in its own memory and says itself how long that took: there is no client."""
    name = 'zlib'

    def command(self, load, place):
        return [self.tool('inflaterelay'), '--memory', place.address]


class Socat(Program):
    name, kind, raw, waits = 'socat', 'raw', True, True
    skills = {'plain', 'send', 'echo', 'tls'}

    def is_there(self):
        return shutil.which('socat')

    def version(self):
        return output(['socat', '-V']).split('\n')[1].split()[2]

    def command(self, load, place):
        server = f'OPENSSL:{place.address},verify=0' if load.tls else f'TCP:{place.address},nodelay'
        return ['socat', '-b65536', f'UNIX-LISTEN:{place.socket}', server]


class Lws(Program):
    name, waits = 'libwebsockets', True

    def is_there(self):
        return os.path.exists(self.tool('peer_lws'))

    def version(self):
        return output(['pkg-config', '--modversion', 'libwebsockets']).rstrip('-')

    def command(self, load, place):
        return [self.tool('peer_lws'), '--clients', str(load.clients), *load.switches(), place.address, place.socket]


class Node(Program):
    name = 'node ws'
    modules = os.path.join(TOP, 'tests/integration/node_modules')

    def is_there(self):
        return shutil.which('node') and os.path.exists(os.path.join(self.modules, 'ws'))

    def version(self):
        with open(os.path.join(self.modules, 'ws/package.json'), encoding='utf-8') as file:
            return json.load(file)['version']

    def environment(self):
        return {**os.environ, 'NODE_PATH': self.modules}

    def command(self, load, place):
        return ['node', os.path.join(HERE, 'peer_node.js'), *load.switches(), place.address, place.socket]


class Python(Program):
    def is_there(self):
        return self.version() != ''

    def version(self):
        return output([PYTHON, '-c', f'import {self.module}; print({self.module}.__version__)'])

    def command(self, load, place):
        return [PYTHON, os.path.join(HERE, self.script), *load.switches(), place.address, place.socket]


class PythonWebsockets(Python):
    name, module, script = 'websockets', 'websockets.version', 'peer_websockets.py'

    def version(self):
        return output([PYTHON, '-c', 'import websockets.version as v; print(v.version)'])


class WebsocketClient(Python):
    name, module, script = 'websocket-client', 'websocket', 'peer_websocket_client.py'
    skills = {'plain', 'send', 'echo', 'tls'}


PROGRAMS = [Relay, TlsRelay, InflateRelay, Zlib, Ours, Socat, Lws, Node, PythonWebsockets, WebsocketClient]


def output(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ''
