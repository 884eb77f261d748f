# A day's work by Perl's Mail::IMAPClient (imapsync speaks through it) on
# carol's mail, over TLS.
use strict;
use warnings;
use Mail::IMAPClient;
use Test::More;

my $c = Mail::IMAPClient->new(
	Server => 'localhost', Port => $ENV{IMAPS_PORT},
	Ssl => [ SSL_ca_file => $ENV{PNEU_CA}, SSL_verify_mode => 1 ],
	User => 'carol@example.test', Password => 'secret-carol',
	Uid => 1, Peek => 1,
) or die "login: $@";

my $d = Mail::IMAPClient->new(
	Server => 'localhost', Port => $ENV{IMAP_PORT}, Starttls =>
	[ SSL_ca_file => $ENV{PNEU_CA}, SSL_verify_mode => 1 ],
	User => 'carol@example.test', Password => 'secret-carol',
	Authmechanism => 'PLAIN', Uid => 1,
) or die "login: $@";

# COMPRESS, with partial flushes; append_file of such a session would send
# what is not compressed
ok($c->has_capability($_), $_)
	for qw(COMPRESS=DEFLATE UIDPLUS MOVE QUOTA ACL IDLE NAMESPACE);
die unless $c->compress;
is($c->separator, '/', 'separator');
is_deeply($c->namespace, [ [ '', '/' ] ], 'NAMESPACE');
is($c->tag_and_run('ID NIL')->[-1] =~ /OK/ ? 1 : 0, 1, 'ID');

ok($c->create('A'), 'create');
ok($c->create('A/B'), 'create a child');
ok(!$c->create('A'), 'once');
like($c->LastError, qr/\[ALREADYEXISTS\]/, 'and why');
is_deeply([ sort $c->folders ], [ 'A', 'A/B', 'INBOX' ], 'LIST');
ok($c->is_parent('A') && !$c->is_parent('A/B'), 'children');
ok($c->exists('A/B') && !$c->exists('A/C'), 'STATUS of what is not there');
ok($c->subscribe('A/B'), 'subscribe');
is_deeply([ $c->subscribed ], [ 'A/B' ], 'LSUB');
ok($c->rename('A/B', 'A/C'), 'rename');

my $text = "From: x\@y.test\r\nSubject: one\r\nMessage-ID: <1\@p>\r\n"
	. "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=q\r\n"
	. "\r\n--q\r\n\r\nplain\r\n--q\r\nContent-Type: text/html\r\n\r\n<p>\r\n--q--\r\n";
my $date = ' 1-Sep-2026 08:00:00 +0000';
my $uid = $c->append_string('A', $text, '\Seen $Label1', $date);
is($uid, 1, 'APPENDUID') or diag $c->LastError;
open my $f, '>', 'm.eml' or die;
print $f "Subject: from a file\n\nof\n.\nlines\n";
close $f;
is($d->append_file('A', 'm.eml'), 2, 'a file');
$c->append_string('A', "Subject: $_\r\n\r\nx\r\n") for 3 .. 20;

ok($c->select('A'), 'select');
is($c->message_count, 20, 'messages');
is($c->unseen_count, 19, 'unseen');
is($c->uidnext('A'), 21, 'UIDNEXT');
ok($c->uidvalidity('A') > 0, 'UIDVALIDITY');
is($c->message_string(1), $text, 'as it was appended');
is($c->message_string(2), "Subject: from a file\r\n\r\nof\r\n.\r\nlines\r\n", 'lines');
is($c->size(1), length $text, 'size');
is_deeply([ sort grep { $_ ne '\Recent' } $c->flags(1) ], [ '$Label1', '\Seen' ], 'flags');
is($c->internaldate(1), $date, 'date');
is($c->subject(1), 'one', 'header');
is($c->bodypart_string(1, '1'), "plain\r\n" =~ s/\r\n\z//r, 'part');
my $b = $c->get_bodystructure(1);
is($b->bodysubtype, 'alternative', 'BODYSTRUCTURE') if $b;
is_deeply([ $b->parts ], [ '1', '2' ], 'its parts') if $b;
is($c->get_envelope(1)->subject, 'one', 'ENVELOPE');
my $h = $c->parse_headers([ 1, 2 ], 'Subject', 'Message-Id');
is($h->{2}{Subject}[0], 'from a file', 'headers of several');
my $all = $c->fetch_hash('RFC822.SIZE', 'FLAGS');
is(scalar keys %$all, 20, 'fetch_hash');

is_deeply([ $c->search('SUBJECT', \'"one"') ], [1], 'SEARCH');
is_deeply([ $c->seen ], [1], 'SEEN');
is_deeply([ $c->search('HEADER', 'Message-ID', \'"<1@p>"') ], [1], 'HEADER');
is_deeply([ $c->sort('REVERSE SUBJECT', 'UTF-8', 'UID 1:4') ], [ 1, 2, 4, 3 ], 'SORT');
is_deeply($c->thread('REFERENCES', 'UTF-8', 'UID 1:2'), [ [1], [2] ], 'THREAD');

ok($c->set_flag('Flagged', 1, 3), 'flag');
ok($c->store(4, '+FLAGS.SILENT (\Answered)'), 'STORE');
is_deeply([ $c->flagged ], [ 1, 3 ], 'FLAGGED') if $c->can('flagged');
is($c->copy('A/C', 1, 2, 3), '1,2,3', 'COPYUID') or diag $c->LastError;
ok($c->move('A/C', 5 .. 9), 'move');
ok($c->expunge, 'EXPUNGE');
is($c->message_count, 15, 'they have gone');
ok($c->delete_message(10, 11), 'delete');
ok($c->uidexpunge(10), 'UID EXPUNGE');
is_deeply([ $c->search('DELETED') ], [11], 'of one alone');
is($c->message_count('A/C'), 8, 'STATUS');

my ($q) = grep { /QUOTA "/ } @{ $c->getquotaroot('A') };
like($q, qr/MESSAGE 22 1000/, 'quota');
like(join('', @{ $c->tag_and_run('MYRIGHTS A') }), qr/MYRIGHTS "A" lrs/, 'MYRIGHTS');

# IDLE hears what the other session adds
my $tag = $c->idle;
ok($tag, 'IDLE');
$d->append_string('A', "Subject: late\r\n\r\nx\r\n");
like(join('', @{ $c->idle_data(10) }), qr/\* 15 EXISTS/, 'and hears');
ok($c->done($tag), 'DONE');
ok($d->logout, 'logout');

ok($c->close, 'CLOSE');
ok($c->select('A'), 'again');
is($c->message_count, 14, 'what was \Deleted has gone');
ok($c->delete('A/C'), 'delete');
ok($c->logout, 'logout');
done_testing;
