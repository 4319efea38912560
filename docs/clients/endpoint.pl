#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# endpoint.pl SOCKET TEXT: send a message by an endpoint (framing json), print the next one.
use v5.14;
use warnings;
use Encode qw(decode);
use IO::Socket::UNIX;
use JSON::PP;    # reads and writes UTF-8

my ($path, $text) = @ARGV;
binmode STDOUT, ':encoding(UTF-8)';
binmode STDERR, ':encoding(UTF-8)';

my $bridge = IO::Socket::UNIX->new(Peer => $path) or die "endpoint: $path: $!\n";
say $bridge encode_json {type => 'text', data => decode('UTF-8', $text), id => 1};
alarm 10;
while (my $line = <$bridge>) {
    my $record = decode_json $line;
    if ($record->{type} eq 'text') {
        say $record->{data};
        exit;
    }
    die "endpoint: $record->{error}{message}\n" if $record->{type} eq 'error';
}
die "endpoint: the daemon has closed the connection\n";
