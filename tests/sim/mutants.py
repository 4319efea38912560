#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Does the simulator find bugs? mutants.txt lists some as data: a piece of a source, and what stands
in its place. Without arguments each piece is looked for: it must occur exactly once (a lint).

    mutants.py --run BUILD [--limit SECONDS] [NAME...]
            makes each in turn, in the directory of a build, and simulates until it is found, for
            a minute of processor time at most, or so long; tells how long it took

The source is copied, changed and compiled; its object goes in front of the archives, so that
theirs is not taken. The tree stays as it is.
"""

import os
import re
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MINUTE = 60
SEEDS = '1-1000000'


class Mutant:
    def __init__(self, paragraph):
        lines = paragraph.split('\n')
        self.name = lines[0]
        self.file = self.text(lines, '@')
        self.old = self.text(lines, '-')
        self.new = self.text(lines, '+')
        self.breaks = self.text(lines, '=')

    @staticmethod
    def text(lines, mark):
        return '\n'.join(line[1:] for line in lines[1:] if line.startswith(mark))

    def complaint(self):
        if not (self.name and self.file and self.old and self.breaks) or self.old == self.new:
            return 'is not complete'
        try:
            with open(os.path.join(TOP, self.file), encoding='utf-8') as source:
                n = source.read().count(self.old)
        except FileNotFoundError:
            return f'there is no {self.file}'
        return '' if n == 1 else f'its text occurs {n} times in {self.file}'


def read_mutants():
    with open(os.path.join(HERE, 'mutants.txt'), encoding='utf-8') as data:
        text = '\n'.join(line for line in data.read().split('\n') if not line.startswith('#'))
    return [Mutant(p) for p in re.split(r'\n\n+', text.strip('\n'))]


def check(mutants):
    bad = [f'tests/sim/mutants.txt: {m.name}: {m.complaint()}' for m in mutants if m.complaint()]
    if len({m.name for m in mutants}) < len(mutants):
        bad.append('tests/sim/mutants.txt: two have the same name')
    for line in bad:
        print(line)
    return 1 if bad else 0


def commands(build):
    out = subprocess.run(['make', '-s', 'sim-commands'], cwd=build, capture_output=True, text=True, check=True).stdout
    return dict(line.split(': ', 1) for line in out.split('\n') if re.match(r'(compile|link|with): ', line))


def shell(build, line):
    result = subprocess.run(line, shell=True, cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit(f'{line}\n{result.stdout}')


def make(mutant, build, how):
    """The program with this bug in it, relative to the build directory."""
    source, folder = os.path.join(TOP, mutant.file), os.path.join(build, 'mutant')
    os.makedirs(folder, exist_ok=True)
    with open(source, encoding='utf-8') as good:
        text = good.read().replace(mutant.old, mutant.new)
    with open(os.path.join(folder, 'mutant.c'), 'w', encoding='utf-8') as bad:
        bad.write(text)
    shell(build, f'{how["compile"]} -w -c -o mutant/mutant.o mutant/mutant.c')
    shell(build, f'{how["link"]} -o mutant/sim mutant/mutant.o {how["with"]}')
    return os.path.join('mutant', 'sim')


def sentence(output):
    """What the first failure was, without the events before it."""
    found = re.search(r'^# seed (\d+)(?: at [\d.]+)?: (.*)$', output, re.M)
    if found:
        return f'seed {found.group(1)}: {found.group(2)}'
    assertion = re.search(r'Assertion `.*', output)
    return assertion.group(0) if assertion else 'it died'


def processor_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hunt(mutant, build, how, limit):
    program = make(mutant, build, how)
    began = processor_time()
    run = subprocess.run([program, '--seeds', SEEDS, '--stop-after', '1', '--limit', limit],
                         cwd=build, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    took = processor_time() - began
    if run.returncode == 0:
        print(f'{took:6.1f} s  {mutant.name}: NOT FOUND\n          it breaks: {mutant.breaks}', flush=True)
        return False
    print(f'{took:6.1f} s  {mutant.name}\n          {sentence(run.stdout)[:150]}', flush=True)
    return True


def main():
    mutants = read_mutants()
    if len(sys.argv) < 3 or sys.argv[1] != '--run':
        return check(mutants)
    if check(mutants):
        return 1
    build, names, limit = sys.argv[2], sys.argv[3:], str(MINUTE)
    if names[:1] == ['--limit']:
        limit, names = names[1], names[2:]
    how = commands(build)
    chosen = [m for m in mutants if not names or m.name in names]
    found = sum(hunt(m, build, how, limit) for m in chosen)
    print(f'{found} of {len(chosen)} found')
    return 0 if found == len(chosen) else 1


sys.exit(main())
