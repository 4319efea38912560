# SPDX-License-Identifier: Apache-2.0
"""
A small writer of plots: lines, dots and text, scales that are logarithmic. Readable on white and on
dark ground; text is text.
"""

import math
from xml.sax.saxutils import escape

COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c564b', '#7f7f7f']
INK, GRID = '#333333', '#d8d8d8'


class Scale:
    """Values from low to high, at places from start to end, by their logarithms."""

    def __init__(self, low, high, start, end):
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value):
        value = min(max(value, self.low), self.high)
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self, steps=(1, 2, 5)):
        power = 10 ** math.floor(math.log10(self.low))
        while power <= self.high:
            yield from (step * power for step in steps if self.low <= step * power <= self.high)
            power *= 10


class Plot:
    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def line(self, x1, y1, x2, y2, colour=GRID, width=1):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"/>')

    def path(self, points, colour):
        text = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
        self.parts.append(f'<polyline points="{text}" fill="none" stroke="{colour}" stroke-width="2"/>')

    def dot(self, x, y, colour, title, radius=5):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="white">'
                          f'<title>{escape(title)}</title></circle>')

    def text(self, x, y, text, anchor='start', colour=INK, size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
                          f'font-size="{size}">{escape(text)}</text>')

    def legend(self, x, y, entries):
        for name, colour in entries:
            self.dot(x, y - 4, colour, name)
            self.text(x + 10, y, name)
            x += 24 + 7 * len(name)

    def write(self, path):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                       f'width="{self.width}" height="{self.height}" font-family="sans-serif">\n'
                       '<rect width="100%" height="100%" fill="white"/>\n' + '\n'.join(self.parts) + '\n</svg>\n')
