#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# control.pl SOCKET NAME: the state of a bridge, a question to its server, and its next message.
use v5.14;
use warnings;
use IO::Socket::UNIX;
use JSON::PP;

my ($path, $name) = @ARGV;
binmode STDOUT, ':encoding(UTF-8)';
binmode STDERR, ':encoding(UTF-8)';
my $control = IO::Socket::UNIX->new(Peer => $path) or die "control: $path: $!\n";
my ($id, @events) = (0);

sub receive {
    my $line = <$control> // die "control: the daemon has closed the connection\n";
    return decode_json $line;
}

# Answers are told from events by their id; events that come in between are kept.
sub call {
    my ($method, %params) = @_;
    say $control encode_json {jsonrpc => '2.0', id => ++$id, method => $method, params => \%params};
    my $answer = receive;
    while (($answer->{id} // 0) != $id) {
        push @events, $answer->{params};
        $answer = receive;
    }
    my $error = $answer->{error} or return $answer->{result};
    die "control: $error->{message} ($error->{data}{kind})\n";
}

say "$name is ", call('status', name => $name)->{bridges}[0]{state};
say 'answer: ',
    call('request', name => $name, json => {id => 1}, match => {pointer => '/id', equals => 1})->{data};
call('subscribe', name => $name, events => ['message']);
call('send', name => $name, text => 'hello');
push @events, receive->{params} unless @events;
say 'event: ', $events[0]{data};
