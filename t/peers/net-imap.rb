# A day's work by Ruby's net/imap on alice's mail, over STARTTLS.  Its parser
# is strict: what it does not know of a response is an error.
require 'net/imap'

E = ENV
Thread.report_on_exception = false

def same(got, want)
  raise "#{got.inspect} is not #{want.inspect}" unless got == want
end

def refused(code)
  yield
rescue Net::IMAP::NoResponseError => e
  same(e.response.data.code.name, code)
else
  raise "not refused with #{code}"
end

def connect
  c = Net::IMAP.new('localhost', port: E['IMAP_PORT'].to_i)
  c.starttls(ca_file: E['PNEU_CA'])
  c.authenticate('PLAIN', 'alice@example.test', 'secret-alice')
  c
end

utf7 = ->(s) { Net::IMAP.encode_utf7(s) }
c = connect
same(%w[IMAP4REV1 IDLE SORT QUOTA ACL MOVE] - c.capability, [])

# mailboxes
box = utf7.('Größe & Gewicht')
c.create(box)
c.create('Below/it')
refused('ALREADYEXISTS') { c.create(box) }
same(c.list('', '*').map { |b| [Net::IMAP.decode_utf7(b.name), b.delim] },
     [['INBOX', '/'], ['Below', '/'], ['Below/it', '/'], ['Größe & Gewicht', '/']])
same(c.list('', '%').find { |b| b.name == 'Below' }.attr,
     [:Noselect, :Haschildren])
c.subscribe(box)
same(c.lsub('', '*').map(&:name), [box])
c.rename('Below/it', 'Above')

# append
mail = "From: =?utf-8?q?J=C3=BCrgen?= <j@x.test>, \"a \\\"b\\\"\" <q@x.test>\r\n" \
       "To: undisclosed:;\r\nSubject: \r\nDate: Tue, 1 Sep 2026 10:00:00 +0200\r\n" \
       "Message-ID: <m@x>\r\nMIME-Version: 1.0\r\n" \
       "Content-Type: multipart/mixed; boundary=\"=_a b\"\r\n\r\n--=_a b\r\n\r\none\r\n" \
       "--=_a b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\ntext\r\n" \
       "--=_a b--\r\n"
at = Time.utc(2026, 9, 1, 8, 0, 0)
r = c.append('INBOX', mail, [:Seen, '$Label1'], at)
same(r.data.code.name, 'APPENDUID')
3.times { |i| c.append('INBOX', "Subject: n#{i}\r\nDate: #{4 - i} Sep 2026 0:0:0 +0000\r\n\r\nx\r\n") }
refused('TRYCREATE') { c.append('None', mail) }

# fetch
c.select('INBOX')
same(c.responses['EXISTS'].last, 4)
same(c.responses['UIDNEXT'].last, 5)
f = c.fetch(1, %w[UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE
                  BODY.PEEK[HEADER.FIELDS\ (SUBJECT\ X-NONE)] BODY.PEEK[2.TEXT]
                  BODY.PEEK[1]<1.1> MODSEQ])[0].attr
same(f['UID'], 1)
same(f['INTERNALDATE'], ' 1-Sep-2026 08:00:00 +0000')
same((f['FLAGS'] - [:Recent]).map(&:to_s).sort, %w[$Label1 Seen].sort)
same(f['RFC822.SIZE'], mail.bytesize)
e = f['ENVELOPE']
same([e.subject, e.message_id, e.from.map(&:mailbox)], ['', '<m@x>', %w[j q]])
same(e.from[1].name, 'a "b"')
same(e.to.map { |t| [t.mailbox, t.host] }, [['undisclosed', nil], [nil, nil]])
same(e.sender, e.from)
b = f['BODYSTRUCTURE']
same([b.subtype, b.param['BOUNDARY'], b.parts.map(&:media_type)],
     ['MIXED', '=_a b', %w[TEXT MESSAGE]])
same(b.parts[1].envelope.subject, 'inside')
same(f['BODY[HEADER.FIELDS (SUBJECT X-NONE)]'], "Subject: \r\n\r\n")
same(f['BODY[2.TEXT]'], 'text')
same(f['BODY[1]<1>'], 'n')
same(c.uid_fetch(2..-1, 'UID').map { |m| m.attr['UID'] }, [2, 3, 4])

# search, sort, thread
same(c.search(['FROM', 'Jürgen'.b], 'UTF-8'), [1])
same(c.uid_search(%w[SUBJECT n NOT SUBJECT n1]), [2, 4])
same(c.search(['SENTSINCE', '4-Sep-2026']), [2])
same(c.sort(['DATE'], ['ALL'], 'UTF-8'), [1, 4, 3, 2])
same(c.uid_sort(%w[REVERSE SUBJECT], ['ALL'], 'US-ASCII'), [4, 3, 2, 1])
same(c.thread('REFERENCES', ['ALL'], 'UTF-8').map(&:seqno), [1, 4, 3, 2])

# flags, copies, moves
same(c.store(2, '+FLAGS', [:Flagged, 'own'])[0].attr['FLAGS'].include?(:Flagged), true)
same(c.store(2, '-FLAGS.SILENT', ['own'])[0].attr.keys.sort, %w[MODSEQ UID])
r = c.copy([1, 2], 'Above')
same([r.data.code.name, r.data.code.data.dest_uids], ['COPYUID', [1, 2]]) if
  r.data.code.data.respond_to?(:dest_uids)
c.move(3, box)
same(c.responses.delete('EXPUNGE'), [3])
c.uid_store([1, 2], '+FLAGS', [:Deleted])
same(c.expunge.size, 2)
same(c.status(box, %w[MESSAGES UIDNEXT UNSEEN]),
     { 'MESSAGES' => 1, 'UIDNEXT' => 2, 'UNSEEN' => 1 })

# quota and rights
q = c.getquotaroot('INBOX')
same(q[0].quotaroots, ['ROOT'])
same(c.getquota('ROOT').map(&:mailbox), ['ROOT'])
c.setacl('Above', 'ann', 'lrs')
same(c.getacl('Above').to_h { |a| [a.user, a.rights] }['ann'], 'lrs')
c.setacl('Above', 'ann', nil)
same(c.getacl('Above').to_h { |a| [a.user, a.rights] }['ann'], '')

# another session adds a message while this one is idle
d = connect
Thread.new { d.append('INBOX', "Subject: late\r\n\r\nx\r\n") }
heard = nil
c.idle(20) do |m|
  if m.is_a?(Net::IMAP::UntaggedResponse) && m.name == 'EXISTS'
    heard = m.data
    c.idle_done
  end
end
same(heard, 2)
c.examine('Above')
refused('NOPERM') { c.store(1, '+FLAGS', [:Seen]) }
c.close
[box, 'Above'].each { |m| c.delete(m) }
refused('NONEXISTENT') { c.select('Above') }
[c, d].each do |s|
  s.logout
  s.disconnect
end
puts 'done'
