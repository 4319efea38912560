#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
The completions for shells in etc/completions are made from the table of commands, which the program
list_tables prints: what is there is what this makes, and every shell that is here can read its file.
Usage: completions.py [--write] [TOP]; --write puts into etc/completions what is missing there.
"""

import os
import re
import shutil
import subprocess
import sys

FILES = {'wsbridge.bash': 'bash', '_wsbridge': 'zsh', 'wsbridge.fish': 'fish'}
STATES = 'connecting open closing waiting idle closed failed'
EVENTS = 'state message open close ping pong error'
NAMES = """grep -o '{"name":"[A-Za-z0-9_.@-]*","state"' | cut -d '"' -f 4"""
HEAD = '# SPDX-License-Identifier: Apache-2.0\n# Completion of wsbridge(1) for {}. Made by tests/lint/completions.py.\n'


class Switch:
    def __init__(self, item, about):
        self.letter = (re.findall(r'Fl (\w)\b', item) or [''])[0]
        self.name = re.search(r'Fl -([a-z0-9-]+)', item)[1]
        self.value = (re.findall(r'Ar (.*?)(?: Oc)?$', item) or [''])[0].strip('"')
        self.optional = ' Ns Oo = ' in item
        self.about = about

    def spellings(self):
        return ([f'-{self.letter}'] if self.letter else []) + [f'--{self.name}']

    def takes(self):
        """Whether the next word is its value."""
        return bool(self.value) and not self.optional


class Command:
    def __init__(self, name, words, summary):
        self.name, self.summary, self.switches = name, summary, []
        # What may stand in which place; the last one may come again and again.
        self.words = re.findall(r'[A-Za-z]+', re.sub(r'\|[a-z-]+', '', words))
        self.instead = re.findall(r'NAME\|([a-z]+)', words)
        self.repeats = '...' in words


class Tables:
    def __init__(self, path):
        rows = [line.split('\t') for line in
                subprocess.run([path], check=True, capture_output=True, text=True).stdout.splitlines()]
        about = {name: text for kind, name, text in rows if kind == 'about'}
        summary = {name: text for kind, name, text in rows if kind == 'summary'}
        self.commands = {name: Command(name, words, summary[name]) for kind, name, words in rows if kind == 'command'}
        self.globals = []
        for kind, command, item in rows:
            if kind in ('switch', 'common'):
                name = re.search(r'Fl -([a-z0-9-]+)', item)[1]
                switches = self.commands[command].switches if command else self.globals
                switches.append(Switch(item, about[f'{command} {name}']))
        level = ''.join(facts for kind, name, facts in rows if (kind, name) == ('param', 'log level'))
        self.words = {
            'LEVEL': re.sub('one of (.*); .*', r'\1', level).replace(',', ''),
            'METHOD': ' '.join(name for kind, name, _ in rows if kind == 'method'),
            'STATE': STATES,
        }
        options = [name.replace('bridges.*.', '') for kind, name, _ in rows if kind == 'option']
        self.options = [name for name in options if not re.match(r'(log|limits|control|metrics)\.', name)]


# bash -------------------------------------------------------------------------

BASH = r'''
_wsbridge_bridges() {
	wsbridge "$@" --json status 2>/dev/null |
		%(names)s
}

# What the value of a switch is: "file", "option", "events", "none"; nothing if it has none.
_wsbridge_value() {
	case $1 in
%(values)s
	esac
}

_wsbridge_switches() {
	case $1 in
%(switches)s
	esac
}

# What stands in the place of a command's word, counted from 0.
_wsbridge_word() {
	case $1 in
%(words)s
	esac
}

_wsbridge_options='%(options)s'

_wsbridge() {
	local cur=${COMP_WORDS[COMP_CWORD]} command='' value='' kind='' before='' count=0 i word
	local -a socket=()
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == = ]]; then # the shell takes KEY=VALUE apart
			value=after
		elif [[ -n $value ]]; then
			[[ $kind == socket ]] && socket=(-s "$word")
			value=''
		elif [[ $word == -* ]]; then
			kind=$(_wsbridge_value "$command:$word")
			value=$kind
		elif [[ -z $command ]]; then
			command=$word
		else
			((count++))
		fi
	done
	if [[ $cur == = || $value == after ]]; then
		[[ $kind == file || $kind == socket ]] || return
		value=$kind cur=${cur#=}
	fi
	case $value in
	file | socket) kind=FILE ;;
	option)
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -S = -W "$_wsbridge_options" -- "$cur")
		return
		;;
	events) # with commas between them
		[[ $cur == *,* ]] && before=${cur%%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W '%(events)s' -- "${cur##*,}")
		return
		;;
	none) return ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_wsbridge_switches "$command")" -- "$cur")
			return
		fi
		kind=$(_wsbridge_word "$command:$count")
		;;
	esac
	case $kind in
	NAME*) mapfile -t COMPREPLY < <(compgen -W "$(_wsbridge_bridges "${socket[@]}")${kind#NAME}" -- "$cur") ;;
	FILE)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur") ;;
	esac
}

complete -F _wsbridge wsbridge
'''


def value_kind(switch):
    return {'FILE': 'file', 'SOCKET': 'socket', 'KEY=VALUE': 'option', 'EVENTS': 'events'}.get(
        switch.value, 'none')


def bash(t):
    values, switches = [], []
    for name, of in [('', t.globals)] + [(c.name, c.switches) for c in t.commands.values()]:
        for switch in of:
            if switch.takes():
                patterns = ' | '.join(f'{name}:{s}' for s in switch.spellings())
                values.append(f'\t{patterns}) echo {value_kind(switch)} ;;')
        given = ' '.join(s for switch in of for s in switch.spellings())
        switches.append(f"\t{name or quoted(name)}) echo '{given}' ;;")
    words = [f"\t:*) echo '{' '.join(t.commands)}' ;;"]
    for c in t.commands.values():
        for i, word in enumerate(c.words):
            place = '*' if c.repeats and i == len(c.words) - 1 else i
            shown = t.words.get(word, word if word in ('NAME', 'FILE') else '')
            if shown:
                words.append(f"\t{c.name}:{place}) echo '{' '.join([shown, *c.instead])}' ;;")
    return HEAD.format('bash') + BASH % {
        'names': NAMES, 'values': '\n'.join(values), 'switches': '\n'.join(switches), 'words': '\n'.join(words),
        'events': EVENTS, 'options': '\n'.join(t.options)}


# zsh --------------------------------------------------------------------------

ZSH = r'''
_wsbridge_bridges() {
	local -a socket names
	[[ -n $wsbridge_socket ]] && socket=(-s $wsbridge_socket)
	names=(${(f)"$(_call_program bridges wsbridge $socket --json status 2>/dev/null |
		%(names)s)"})
	compadd -a names
}

_wsbridge_options() {
	local -a options=(
%(options)s
	)
	compadd -S = -a options
}

_wsbridge_commands() {
	local -a commands=(
%(commands)s
	)
	_describe command commands
}

_wsbridge() {
	local curcontext=$curcontext state wsbridge_socket
	local -a line
	local -A opt_args

	_arguments -C -S \
%(globals)s
		'1:command:_wsbridge_commands' \
		'*::argument:->argument'
	[[ $state == argument ]] || return
	wsbridge_socket=${(Q)opt_args[-s]:-${(Q)opt_args[--socket]}}
	curcontext="${curcontext%%:*:*}:wsbridge-$words[1]:"
	case $words[1] in
%(cases)s
	esac
}

_wsbridge "$@"
'''


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_action(t, word, instead=()):
    words = t.words.get(word)
    if words:
        return f'({words})'
    if instead:
        return f'{{_wsbridge_bridges; compadd {" ".join(instead)}}}'
    return {'NAME': '_wsbridge_bridges', 'FILE': '_files', 'SOCKET': '_files', 'KEY=VALUE': '_wsbridge_options',
            'EVENTS': f'_sequence compadd - {EVENTS}'}.get(word, ' ')


def zsh_switch(t, switch):
    about, shown = (re.sub(r'([\[\]:\\])', r'\\\1', text) for text in (switch.about, switch.value))
    value = ''
    if switch.value:
        value = f'{"::" if switch.optional else ":"}{shown}:{zsh_action(t, switch.value)}'
    star = '*' if switch.value == 'KEY=VALUE' or 'more than once' in switch.about else ''
    alone = f"({' '.join(switch.spellings())})" if switch.letter and not star else ''
    for spelling in switch.spellings():
        # "=-": the value stands behind "=" only; "=": there or in the next word.
        sign = '' if not switch.value or len(spelling) == 2 else '=-' if switch.optional else '='
        yield quoted(f'{alone}{star}{spelling}{sign}[{about}]{value}')


def zsh(t):
    def lines(switches, indent):
        return [f'{indent}{text} \\' for switch in switches for text in zsh_switch(t, switch)]

    cases = []
    for c in t.commands.values():
        cases += [f'\t{c.name})', '\t\t_arguments -S \\', *lines(c.switches, '\t\t\t')]
        for i, word in enumerate(c.words):
            place = '*' if c.repeats and i == len(c.words) - 1 else i + 1
            cases.append(f'\t\t\t{quoted(f"{place}:{word}:{zsh_action(t, word, c.instead)}")} \\')
        cases[-1] = cases[-1][:-2]
        cases.append('\t\t;;')
    commands = [f"\t\t{quoted(c.name + ':' + c.summary.replace(':', chr(92) + ':'))}" for c in t.commands.values()]
    return '#compdef wsbridge\n' + HEAD.format('zsh') + ZSH % {
        'names': NAMES, 'options': '\n'.join(f'\t\t{name}' for name in t.options), 'commands': '\n'.join(commands),
        'globals': '\n'.join(lines(t.globals, '\t\t')), 'cases': '\n'.join(cases)}


# fish -------------------------------------------------------------------------

FISH = r'''
# Prints the command and how many of its words are there; nothing before the command.
function __wsbridge_words
	set -l command ''
	set -l count 0
	set -l value ''
	for word in (commandline -opc)[2..-1]
		if test -n "$value"
			set value ''
			continue
		end
		switch "$command:$word"
%(values)s
			case '*:-*'
			case '*'
				if test -z "$command"
					set command $word
				else
					set count (math $count + 1)
				end
		end
	end
	echo "$command:$count"
end

function __wsbridge_at
	string match -q -- $argv[1] (__wsbridge_words)
end

function __wsbridge_bridges
	set -l words (commandline -opc)
	set -l socket
	for i in (seq 2 (count $words))
		switch $words[$i]
			case -s --socket
				set socket -s $words[(math $i + 1)]
			case '--socket=*'
				set socket $words[$i]
		end
	end
	wsbridge $socket --json status 2>/dev/null | %(names)s
end

complete -c wsbridge -f
%(lines)s
'''


def fish_line(at, rest):
    return f"complete -c wsbridge -n '__wsbridge_at {at}' {rest}"


def fish_switch(t, switch, at):
    letter = f'-s {switch.letter} ' if switch.letter else ''
    options = ' '.join(f'{name}=' for name in t.options)
    value = {'file': ' -r -F', 'socket': ' -r -F', 'none': ' -x', 'option': f' -x -a {quoted(options)}',
             'events': f" -x -a '(__fish_append , {EVENTS})'"}
    return fish_line(at, f'{letter}-l {switch.name} -d {quoted(switch.about)}' +
                     (value[value_kind(switch)] if switch.takes() else ''))


def fish_command(t, c):
    yield fish_line(':0', f'-a {c.name} -d {quoted(c.summary)}')
    for switch in c.switches:
        yield fish_switch(t, switch, f'"{c.name}:*"')
    for i, word in enumerate(c.words):
        place = '*' if c.repeats and i == len(c.words) - 1 else i
        if word in t.words or word in ('NAME', 'FILE'):
            action = {'NAME': f"-a '{' '.join(['(__wsbridge_bridges)', *c.instead])}'", 'FILE': '-F'}.get(word) or f'-a {quoted(t.words[word])}'
            yield fish_line(f'"{c.name}:{place}"', action)


def fish(t):
    values = [f"\t\t\tcase {' '.join(quoted(f'{name}:{s}') for s in switch.spellings())}\n\t\t\t\tset value yes"
              for name, of in [('', t.globals)] + [(c.name, c.switches) for c in t.commands.values()]
              for switch in of if switch.takes()]
    lines = [fish_switch(t, switch, ':0') for switch in t.globals]
    for c in t.commands.values():
        lines += fish_command(t, c)
    return HEAD.format('fish') + FISH % {'values': '\n'.join(values), 'names': NAMES, 'lines': '\n'.join(lines)}


def make(tables):
    t = Tables(tables)
    return {'wsbridge.bash': bash(t), '_wsbridge': zsh(t), 'wsbridge.fish': fish(t)}


def check(name, made):
    """Sentences about what is wrong with a file."""
    path = os.path.join('etc/completions', name)
    there = ''
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            there = f.read()
    if there != made:
        yield f'{path}: is not what the tables say: run tests/lint/completions.py --write'
    if shutil.which(FILES[name]):
        done = subprocess.run([FILES[name], '-n', path], capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            yield f'{path}: {FILES[name]} cannot read it: {done.stderr}'


def main(write, top):
    tables = os.path.abspath(os.path.join(os.environ.get('top_builddir', '.'), 'tests/lint/list_tables'))
    if not os.access(tables, os.X_OK):
        print(f'skipped: {tables} is not built: make tests/lint/list_tables')
        return 77
    os.chdir(top)
    files = make(tables)
    for name, text in files.items() if write else ():
        with open(os.path.join('etc/completions', name), 'w', encoding='utf-8') as f:
            f.write(text)
    errors = [e for name, text in files.items() for e in check(name, text)]
    for e in errors:
        print(e)
    return 1 if errors else 0


if __name__ == '__main__':
    words = [w for w in sys.argv[1:] if w != '--write']
    sys.exit(main('--write' in sys.argv, words[0] if words else os.environ.get('top_srcdir', '.')))
