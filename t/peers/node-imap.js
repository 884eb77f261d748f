// A day's work by node-imap, on which most mail programs in JavaScript were
// built; while it is idle it hears what emailjs-imap-client does.
const assert = require('assert');
const fs = require('fs');
const path = require('path');
const root = path.resolve(__dirname, '../../build/npm/node_modules');
const lib = (name) => require(path.join(root, name));
const env = process.env;
const same = assert.deepStrictEqual;

const text = (n, more = '') => `From: "A \\"q\\"" <a${n}@x.test>\r\n` +
    `To: =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\nMessage-ID: <${n}@x.test>\r\n` +
    `Date: ${30 - n} Jan 2020 10:00:00 +0000\r\n${more}\r\nbody ${n}\r\n`;
const parts = 'Subject: parts\r\nMIME-Version: 1.0\r\n' +
    'Content-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n\r\none\r\n' +
    '--z\r\nContent-Type: text/html; name="a \\"b\\".html"\r\n' +
    'Content-Disposition: attachment; filename="ü.html"\r\n\r\n<b>\r\n--z--\r\n';

async function nodeImap() {
	const Imap = lib('imap');
	const c = new Imap({user: 'alice@example.test', password: 'secret-alice',
	    host: 'localhost', port: +env.IMAPS_PORT, tls: true,
	    tlsOptions: {ca: fs.readFileSync(env.PNEU_CA), servername: 'localhost'}});
	const p = (f, ...a) => new Promise((ok, no) =>
	    c[f](...a, (e, ...r) => e ? no(e) : ok(r.length > 1 ? r : r[0])));
	await new Promise((ok, no) => {
		c.once('ready', ok);
		c.once('error', no);
		c.connect();
	});
	const box = 'Entwürfe & "q"/日本語';
	await p('addBox', 'Entwürfe & "q"');
	await p('addBox', box);
	await p('addBox', 'Leer');
	await p('subscribeBox', box);
	const boxes = await p('getBoxes');
	same(Object.keys(boxes).sort(), ['Entwürfe & "q"', 'INBOX', 'Leer'], 'LIST');
	same(Object.keys(boxes['Entwürfe & "q"'].children), ['日本語'], 'children');
	same(Object.keys((await p('getSubscribedBoxes'))['Entwürfe & "q"'].children),
	    ['日本語'], 'LSUB');
	let b = await p('openBox', 'Leer', true);
	same([b.messages.total, await p('search', ['ALL'])], [0, []], 'empty');
	b = await p('openBox', box);
	same([b.readOnly, b.persistentUIDs, b.newKeywords], [false, true, true]);
	for (const n of [1, 2, 3])
		await p('append', text(n, `Subject: ${n < 3 ? '' : 'Re: '}nähe\r\n` +
		    (n < 3 ? '' : 'References: <1@x.test>\r\n')),
		    {mailbox: box, flags: n === 2 ? ['Flagged'] : [],
		     date: new Date('2021-03-04T05:06:07Z')});
	await p('append', parts, {mailbox: box});
	await p('addKeywords', 2, 'Blue');
	const find = async (...what) => (await p('search', what)).join(' ');
	same(await find('ALL'), '1 2 3 4');
	same(await find('UNSEEN', ['SINCE', 'Mar 5, 2021']), '4');
	same(await find(['OR', ['KEYWORD', 'Blue'], ['HEADER', 'SUBJECT', 'parts']]),
	    '2 4');
	same(await find(['SUBJECT', 'NÄHE'], ['!BODY', 'body 1']), '2 3');
	same(await find(['UID', '2:*'], ['SMALLER', '300'], '!FLAGGED'), '3 4');
	same(await find(['FROM', 'A "q"']), '1 2 3');
	same((await p('esearch', ['ALL'], ['COUNT', 'MIN', 'MAX', 'ALL'])),
	    {count: 4, min: 1, max: 4, all: ['1:4']});
	same(await p('sort', ['DATE'], ['ALL']), [3, 2, 1, 4]);
	same((await p('sort', ['-SUBJECT', 'DATE'], ['ALL'])), [4, 3, 2, 1]);
	same(await p('thread', 'REFERENCES', [['SUBJECT', 'n']]), [[[2], [1, 3]]]);
	const fetch = (what, how) => new Promise((ok, no) => {
		const all = {};
		const f = c.fetch(what, how);
		f.on('message', (m) => {
			const got = {body: {}};
			m.on('body', (stream, info) => {
				const chunks = [];
				stream.on('data', (d) => chunks.push(d));
				stream.once('end', () => got.body[info.which] =
				    Buffer.concat(chunks).toString());
			});
			m.once('attributes', (a) => got.attrs = a);
			m.once('end', () => all[got.attrs.uid] = got);
		});
		f.once('error', no);
		f.once('end', () => ok(all));
	});
	let m = await fetch('1:*', {bodies: ['', 'HEADER.FIELDS (SUBJECT)', 'TEXT'],
	    struct: true, envelope: true, size: true});
	same(m[1].body[''], text(1, 'Subject: nähe\r\n'));
	same(m[2].body['HEADER.FIELDS (SUBJECT)'], 'Subject: nähe\r\n\r\n');
	same(m[3].body.TEXT, 'body 3\r\n');
	same(m[2].attrs.flags.sort(), ['Blue', '\\Flagged', '\\Recent'].sort());
	same(m[1].attrs.date.toISOString(), '2021-03-04T05:06:07.000Z');
	same(m[1].attrs.envelope.from[0].name, 'A "q"');
	same(m[4].attrs.size, Buffer.byteLength(parts));
	same(m[4].attrs.struct[2][0].params.name, 'a "b".html');
	same(m[4].attrs.struct[2][0].disposition.type, 'attachment');
	m = await fetch(4, {bodies: ['1', '2.MIME'], markSeen: true});
	same(m[4].body['1'], 'one');
	await p('addFlags', 2, ['\\Answered']);
	await p('delKeywords', 2, 'Blue');
	await p('setFlags', 3, ['\\Draft']);
	same(await find('ANSWERED') + '/' + await find('DRAFT'), '2/3');
	const seq = b.highestmodseq;
	m = await fetch('1:*', {modifiers: {changedsince: seq}});
	same(Object.keys(m), ['1', '2', '3', '4'], 'all of it is newer');
	await p('copy', [1, 2], 'Leer');
	await p('move', 1, 'Leer');
	await p('addFlags', [3, 4], '\\Deleted');
	await p('expunge', 3);
	same(await find('ALL'), '2 4');
	same((await p('status', 'Leer')).messages, {total: 3, new: 3, unseen: 3});

	// while it is idle
	const told = [];
	c.on('mail', (n) => told.push(`mail ${n}`));
	c.on('update', (n, info) => told.push(`update ${n} ${info.flags}`));
	c.on('expunge', (n) => told.push(`expunge ${n}`));
	await emailjs(box, async (want) => {
		const end = Date.now() + 60000;
		while (!told.some((t) => t.startsWith(want))) {
			assert(Date.now() < end, `${want} in ${told}`);
			await new Promise((ok) => setTimeout(ok, 10));
		}
	});
	await p('renameBox', 'Leer', 'Voll ~peter');
	await p('delBox', 'Voll ~peter');
	await p('closeBox', true);
	c.end();
	await new Promise((ok) => c.once('close', ok));
}

// The same account: what it does, the other hears by IDLE, one by one.
async function emailjs(box, heard) {
	// it wants names as they are on the wire
	box = lib('emailjs-utf7').imapEncode(box);
	const Client = lib('emailjs-imap-client').default;
	const c = new Client('127.0.0.1', +env.IMAP_PORT, {
	    auth: {user: 'alice@example.test', pass: 'secret-alice'},
	    // its COMPRESS has the head of zlib, and is no client's of RFC 4978
	    id: {name: 'x', version: '1 "2"'}, enableCompression: false,
	    ignoreTLS: true, logLevel: c_quiet});
	await c.connect();
	const tree = await c.listMailboxes();
	assert(tree.children.some((b) => b.name === 'Entwürfe & "q"'));
	await c.createMailbox('Neu &');
	const b = await c.selectMailbox(box, {condstore: true});
	same(b.exists, 2);
	await c.upload(box, text(9, 'Subject: late ö\r\n'), {flags: ['\\Seen']});
	await heard('mail 1');
	const m = await c.listMessages(box, '1:*',
	    ['uid', 'flags', 'envelope', 'bodystructure', 'body[]',
	     'body.peek[header.fields (subject)]', 'modseq'], {changedSince: '1'});
	same(m.map((x) => x.uid), [2, 4, 5]);
	same(m[2]['body[]'].length, text(9, 'Subject: late ö\r\n').length);
	same(m[0].envelope.to[0].name, 'Jörg');
	same(m[1].bodystructure.childNodes.map((x) => x.type),
	    ['text/plain', 'text/html']);
	same(await c.search(box, {subject: 'late', seen: true}, {byUid: true}), [5]);
	same(await c.search(box, {header: ['subject', 'nähe']}, {byUid: true}), [2]);
	await c.setFlags(box, '2', {add: ['$Forwarded']}, {byUid: true});
	await heard('update 1 ');
	await c.copyMessages(box, '2,4', 'Neu &-', {byUid: true});
	await c.deleteMessages(box, '5', {byUid: true});
	await heard('expunge 3');
	await c.moveMessages(box, '4', 'Neu &-', {byUid: true});
	same((await c.selectMailbox('Neu &-')).exists, 3);
	await c.logout();
}

const c_quiet = lib('emailjs-imap-client').LOG_LEVEL_NONE;
nodeImap().then(() => {
	console.log('done');
	process.exit(0);
}, (e) => {
	console.error(e);
	process.exit(1);
});
