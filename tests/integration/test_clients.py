# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/clients: docs/CLIENTS.md shows them to the letter, and each does what it says there."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

from harness import TOP, WRAPPER, programs, slack

DOCUMENT = os.path.join(TOP, 'docs', 'CLIENTS.md')
CLIENTS = os.path.join(TOP, 'docs', 'clients')
INTERPRETERS = {'sh': ('bash', 'bash'), 'py': ('python3', 'python3'), 'pl': ('perl', 'perl'), 'php': ('php', 'php-cli'),
                'js': ('node', 'nodejs'), 'c': (os.environ.get('CC', 'cc').split()[0], 'gcc')}
LANGUAGES = sorted(INTERPRETERS)
TEXTS = ['hello', 'grüße "a" \\ €', '\U0001f600 %s $HOME `id`', '']


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def test_the_document_shows_the_files():
    shown = dict(re.findall(r'^\[clients/(\S+)\]\(clients/\1\):\n\n```\w+\n(.*?\n)```$', read(DOCUMENT), re.M | re.S))
    assert sorted(shown) == sorted(os.listdir(CLIENTS)) == sorted(
        f'{kind}.{language}' for kind in ('endpoint', 'control') for language in LANGUAGES)
    for name, text in shown.items():
        assert text == read(os.path.join(CLIENTS, name)), f'{name} in docs/CLIENTS.md is not docs/clients/{name}'


@pytest.mark.parametrize('name', sorted(os.listdir(CLIENTS)))
def test_scripts_can_be_started(name):
    path = os.path.join(CLIENTS, name)
    assert os.access(path, os.X_OK) == read(path).startswith('#!') == (not name.endswith('.c'))
    assert max(map(len, read(path).splitlines())) <= 110


@pytest.fixture(scope='module')
def compiled(session_folder):
    """What C needs before it runs, once."""
    made = {}

    def compile_one(kind):
        if kind not in made:
            flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'jansson'], capture_output=True, text=True,
                                   check=True, timeout=20).stdout.split()
            path = os.path.join(session_folder, f'client-{kind}')
            subprocess.run([*os.environ.get('CC', 'cc').split(), '-Wall', '-Wextra', '-Werror', '-O1',
                            os.path.join(CLIENTS, f'{kind}.c'), '-o', path, *flags], check=True, timeout=60)
            made[kind] = path
        return made[kind]
    return compile_one


@pytest.fixture(scope='module')
def tools(session_folder):
    """A folder with `wsbridge`, which the shell's client finds by its name."""
    folder = os.path.join(session_folder, 'tools')
    os.mkdir(folder)
    path = os.path.join(folder, 'wsbridge')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\nexec {" ".join([*WRAPPER, programs.wsbridge])} "$@"\n')
    os.chmod(path, 0o755)
    return folder


@pytest.fixture(params=LANGUAGES)
def client(request, compiled, tools):
    """client(kind, *words): runs the endpoint or the control program of one language."""
    language = request.param
    program, package = INTERPRETERS[language]
    if shutil.which(program) is None:
        pytest.skip(f'{program} not found: apt-get install {package}')

    def run(kind, *words):
        script = os.path.join(CLIENTS, f'{kind}.{language}')
        argv = [compiled(kind)] if language == 'c' else [program, script]
        environment = {**os.environ, 'PATH': f'{tools}:{os.environ["PATH"]}', 'LC_ALL': 'C.UTF-8'}
        return subprocess.run([*argv, *words], capture_output=True, timeout=slack(20), text=True, encoding='utf-8',
                              env=environment, check=False)
    run.language = language
    return run


@pytest.fixture(scope='module')
def daemon(module_daemon, server):
    """Endpoints with the framing of a language at "json" and "lines"."""
    def bridge(framing, **options):
        return {'url': server.url(), 'endpoint': {'unix': f'$DIR/{framing}.sock', 'framing': framing}, **options}

    made = module_daemon({'echo': bridge('json'), 'lines': bridge('lines'),
                          'down': {**bridge('json', start='manual', outbox={'size': 0}),
                                   'endpoint': {'unix': '$DIR/down.sock', 'framing': 'json'}}})
    made.wait_open('echo', 'lines')
    return made


def gives(done, *lines):
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, list(lines), '')


def complains(done, *words):
    assert done.returncode != 0 and done.stdout == ''
    assert all(word in done.stderr for word in words), done.stderr
    assert 'Traceback' not in done.stderr and '    at ' not in done.stderr and 'Warning' not in done.stderr


def endpoint_of(daemon, client):
    return daemon.path('lines.sock' if client.language == 'sh' else 'json.sock')


@pytest.mark.parametrize('text', TEXTS)
def test_endpoint(daemon, client, text):
    gives(client('endpoint', endpoint_of(daemon, client), text), text)


@pytest.mark.parametrize('kind', ['endpoint', 'control'])
def test_nobody_there(folder, client, kind):
    path = os.path.join(folder, 'none.sock')
    complains(client(kind, path, 'x'), path, 'ENOENT' if client.language == 'js' else 'No such file')


@pytest.mark.parametrize('kind', ['endpoint', 'control'])
def test_nobody_listens(folder, client, kind):
    path = os.path.join(folder, 'stale.sock')
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    complains(client(kind, path, 'x'), path, 'ECONNREFUSED' if client.language == 'js' else 'refused')


def test_endpoint_of_a_bridge_that_is_not_open(daemon, client):
    if client.language == 'sh':
        return  # lines tell no errors
    complains(client('endpoint', daemon.path('down.sock'), 'x'), 'bridge "down": closed')


def test_control(daemon, client):
    gives(client('control', daemon.control_path, 'echo'), 'echo is open', 'answer: {"id":1}', 'event: hello')


def test_control_of_no_bridge(daemon, client):
    complains(client('control', daemon.control_path, 'ecko'), 'no bridge "ecko"; did you mean "echo"?')


def test_control_of_a_bridge_that_is_closed(daemon, client):
    """The first answer is there, the second is an error."""
    done = client('control', daemon.control_path, 'down')
    assert done.returncode != 0 and done.stdout == 'down is closed\n'
    assert 'bridge "down" is closed' in done.stderr


@pytest.fixture
def scripted_socket(folder):
    """scripted_socket(script): a Unix socket with a script for each connection, which gets its lines."""
    listeners = []

    def start(script):
        listener = socket.socket(socket.AF_UNIX)
        listeners.append(listener)
        listener.bind(os.path.join(folder, 'scripted.sock'))
        listener.listen()

        def serve():
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock, sock.makefile('rb') as lines:
                    script(sock, lines)
        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()

    yield start
    for one in listeners:
        one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.mark.parametrize('kind', ['endpoint', 'control'])
def test_the_other_side_goes(client, scripted_socket, kind):
    """After one request, without an answer."""
    path = scripted_socket(lambda sock, lines: lines.readline())
    complains(client(kind, path, 'x'))


def test_events_before_answers_and_lines_in_pieces(client, scripted_socket):
    """Each answer follows an event and comes byte by byte; the event is the one that is shown."""
    def script(sock, lines):
        for line in lines:
            line = line.decode()
            request = json.loads(line) if line[0] == '{' else {'id': None, 'method': line.split()[0]}
            results = {'status': {'bridges': [{'state': 'waiting'}], 'daemon': {}},
                       'request': {'data': 'yes', 'type': 'text'}, 'subscribe': {'subscription': 1},
                       'send': {'bytes': 5, 'queued': False}}
            answer = {'jsonrpc': '2.0', 'id': request['id'], 'result': results[request['method']]}
            text = json.dumps(answer) + '\n'
            if request['method'] == 'send':
                event = {'event': 'message', 'data': 'early', 'subscription': 1}
                text = json.dumps({'jsonrpc': '2.0', 'method': 'event', 'params': event}) + '\n' + text
            for i in range(len(text)):
                try:
                    sock.sendall(text[i:i + 1].encode())
                except BrokenPipeError:
                    return

    gives(client('control', scripted_socket(script), 'b'), 'b is waiting', 'answer: yes', 'event: early')
