// A day's work by imapflow on alice's mail, over TLS and compressed.  Each
// step looks at what the server has made of the one before.
const assert = require('assert');
const fs = require('fs');
const env = process.env;
const { ImapFlow } = require(env.ROOT + '/build/npm/node_modules/imapflow');

const sent = [];

async function connect(more) {
	const c = new ImapFlow({
		host: '127.0.0.1', port: +env.IMAPS_PORT, secure: true,
		servername: 'localhost', tls: { ca: fs.readFileSync(env.PNEU_CA) },
		auth: { user: 'alice@example.test', pass: 'secret-alice' },
		logger: false, emitLogs: true, logRaw: true, ...more,
	});
	c.on('log', (e) => e.src === 'c' && e.data &&
		sent.push(Buffer.from(e.data, 'base64').toString()));
	await c.connect();
	return c;
}

// That the client has really said this, not something in its place.
const said = (what) => assert(sent.some((s) => what.test(s)), `${what} was not sent`);

async function text(stream) {
	const all = [];
	for await (const part of stream)
		all.push(part);
	return Buffer.concat(all);
}

const bytes = Buffer.from([0, 1, 255, 13, 10, 0, 10, 13, 65]);
const letter = [
	'From: "Ann Müller" <ann@example.test>', 'To: bob@example.test',
	'Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?= and weight',
	'Message-ID: <one@example.test>', 'Date: Tue, 1 Sep 2026 10:00:00 +0200',
	'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '',
	'--b', 'Content-Type: text/plain; charset=iso-8859-1',
	'Content-Transfer-Encoding: quoted-printable', '', 'gr=FC=DFe =', 'all', '',
	'--b', 'Content-Type: application/octet-stream; name=bytes.bin',
	'Content-Disposition: attachment; filename=bytes.bin',
	'Content-Transfer-Encoding: base64', '', bytes.toString('base64'), '--b--', '',
].join('\r\n');

async function mailboxes(c) {
	const made = await c.mailboxCreate('Büro/Ä & Ö');
	assert(made.created && made.mailboxId, made);
	assert.equal((await c.mailboxCreate('Büro/Ä & Ö')).created, false);
	await c.mailboxCreate('Sent');
	await c.mailboxRename('Büro/Ä & Ö', 'Büro/2026');
	await c.mailboxSubscribe('Büro/2026');
	const list = await c.list({ statusQuery: { messages: true, unseen: true,
		uidNext: true, uidValidity: true, highestModseq: true, size: true } });
	const by = Object.fromEntries(list.map((b) => [b.path, b]));
	assert(by['Büro/2026'].subscribed);
	assert.equal(by.Sent.specialUse, '\\Sent');
	assert.equal(by['Büro/2026'].status.messages, 0);
	assert.equal(by['Büro/2026'].status.uidNext, 1);
	assert.equal(by['Büro/2026'].parentPath, 'Büro');
	said(/LIST "" "\*" RETURN .*STATUS \(/);
	said(/CREATE "Büro\/Ä & Ö"/); // UTF8=ACCEPT
	const q = await c.getQuota('INBOX');
	assert.equal(q.storage.limit, 100 * 1024 * 1024);
	assert.equal(q.message.limit, 1000);
}

async function appends(c) {
	const at = new Date('2026-09-01T08:00:00Z');
	const one = await c.append('INBOX', letter, ['\\Seen', '$Forwarded'], at);
	assert(one.uid > 0 && one.uidValidity > 0n, one);
	await c.mailboxOpen('INBOX');
	const m = await c.fetchOne(one.uid, { uid: true, flags: true, size: true,
		envelope: true, bodyStructure: true, internalDate: true,
		source: true, threadId: true }, { uid: true });
	assert.deepEqual([...m.flags].filter((f) => f !== '\\Recent').sort(),
		['$Forwarded', '\\Seen']);
	assert.equal(m.internalDate.getTime(), at.getTime());
	assert.equal(m.envelope.subject, 'Größe and weight');
	assert.equal(m.envelope.from[0].name, 'Ann Müller');
	assert.equal(m.source.toString(), letter);
	assert.equal(m.size, Buffer.byteLength(letter));
	assert(m.emailId, 'no EMAILID');
	assert.deepEqual(m.bodyStructure.childNodes.map((n) => n.type),
		['text/plain', 'application/octet-stream']);
	assert.equal(m.bodyStructure.childNodes[1].dispositionParameters.filename,
		'bytes.bin');
	// with a NUL it is a literal8
	const raw = Buffer.concat([Buffer.from('Subject: raw\r\nMIME-Version: 1.0\r\n' +
		'Content-Type: application/octet-stream\r\n' +
		'Content-Transfer-Encoding: binary\r\n\r\n'), bytes]);
	const two = await c.append('INBOX', raw);
	said(/APPEND .*~\{/);
	const back = await c.fetchOne(two.uid, { bodyParts: ['1'] },
		{ uid: true, binary: true });
	said(/BINARY\.PEEK\[1\]/);
	assert.deepEqual([...back.bodyParts.get('1')], [...bytes]);
	await assert.rejects(c.append('Nowhere', letter),
		(e) => e.serverResponseCode === 'TRYCREATE');
	return one.uid;
}

async function parts(c, uid) {
	const id = { uid: true };
	let d = await c.download(uid, '1', id);
	assert.equal((await text(d.content)).toString(), 'grüße all\r\n');
	assert.equal(d.meta.encoding, 'quoted-printable');
	d = await c.download(uid, '2', id);
	assert.equal(d.meta.filename, 'bytes.bin');
	assert.deepEqual([...await text(d.content)], [...bytes]);
	d = await c.download(uid, undefined, { uid: true, chunkSize: 100 });
	assert.equal((await text(d.content)).toString(), letter);
	said(/BODY\.PEEK\[\]<100\.100>/);
	const many = await c.downloadMany(uid, ['1', '2'], id);
	assert.deepEqual([...many['2'].content], [...bytes]);
	const m = await c.fetchOne(uid, { headers: ['subject', 'x-none'],
		bodyParts: ['text', '1.mime', { key: '1', start: 2, maxLength: 3 }] },
	id);
	assert.equal(m.headers.toString(),
		'Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?= and weight\r\n\r\n');
	assert.equal(m.bodyParts.get('1').toString(), '=FC');
	assert(m.bodyParts.get('1.mime').toString().startsWith('Content-Type: text/plain'));
}

async function searches(c, uid) {
	const find = (q, o) => c.search(q, { uid: true, ...o });
	assert.deepEqual(await find({ subject: 'GRÖß' }), [uid]);
	assert.deepEqual(await find({ body: 'grüße all' }), [uid]);
	assert.deepEqual(await find({ from: 'müller', seen: true }), [uid]);
	assert.deepEqual(await find({ not: { seen: false }, larger: 100 }), [uid]);
	assert.deepEqual(await find({ or: [{ keyword: '$Forwarded' }, { deleted: true }] }),
		[uid]);
	assert.deepEqual(await find({ header: { 'Message-ID': '<one@example.test>' } }),
		[uid]);
	assert.deepEqual(await find({ sentOn: new Date('2026-09-01') }), [uid]);
	assert.deepEqual(await find({ text: 'is not there' }), []);
	const r = await find({ all: true }, { returnOptions: ['MIN', 'MAX', 'COUNT'] });
	assert.deepEqual([r.min, r.max, r.count], [uid, uid + 1, 2]);
	const p = await find({ all: true }, { returnOptions: [{ partial: '1:1' }] });
	said(/RETURN \(PARTIAL 1:1\)/);
	assert.equal(p.partial.messages, String(uid));
}

async function changes(c, uid) {
	const id = { uid: true };
	const flags = async (want) => assert.deepEqual(
		[...(await c.fetchOne(uid, { flags: true }, id)).flags]
			.filter((f) => f !== '\\Recent').sort(), want);
	await c.messageFlagsAdd(uid, ['\\Flagged', 'Work'], id);
	await flags(['$Forwarded', 'Work', '\\Flagged', '\\Seen']);
	await c.messageFlagsRemove(uid, ['\\Seen', 'work'], id);
	await flags(['$Forwarded', '\\Flagged']);
	await c.messageFlagsSet(uid, ['\\Answered'], id);
	await flags(['\\Answered']);
	const old = c.mailbox.highestModseq;
	assert.equal(await c.messageFlagsAdd(uid, ['\\Draft'],
		{ uid: true, unchangedSince: 1n }), true);
	await flags(['\\Answered']);
	assert(old > 1n);
	await c.setFlagColor(uid, 'blue', id);
	assert.equal((await c.fetchOne(uid, { flags: true }, id)).flagColor, 'blue');

	const copied = await c.messageCopy(`${uid}:${uid + 1}`, 'Büro/2026', id);
	assert.deepEqual([...copied.uidMap], [[uid, 1], [uid + 1, 2]]);
	const gone = [];
	c.on('expunge', (e) => gone.push(e.seq || e.uid));
	const moved = await c.messageMove(uid + 1, 'Sent', id);
	assert.deepEqual([...moved.uidMap], [[uid + 1, 1]]);
	said(/UID MOVE/);
	assert.equal(gone.length, 1);
	assert.equal(await c.messageDelete(uid, id), true);
	assert.deepEqual(await c.search({ all: true }, id), []);
	assert.equal(c.mailbox.exists, 0);
}

async function ends(c) {
	await c.mailboxOpen('Büro/2026');
	const all = await c.fetchAll('1:*', { uid: true, envelope: true, flags: true });
	assert.deepEqual(all.map((m) => m.envelope.subject), ['Größe and weight', 'raw']);
	assert(all[0].flags.has('\\Answered'));
	const s = await c.status('Büro/2026', { messages: true, unseen: true, size: true });
	assert.deepEqual([s.messages, s.unseen], [2, 2]);
	await c.mailboxClose();
	await c.mailboxUnsubscribe('Büro/2026');
	await c.mailboxDelete('Büro/2026');
	await assert.rejects(c.mailboxOpen('Büro/2026'),
		(e) => e.serverResponseCode === 'NONEXISTENT');
	await c.noop();
}

async function main() {
	for (const more of [{}, { disableCompression: true, disableBinary: false }]) {
		sent.length = 0;
		const c = await connect(more);
		await mailboxes(c);
		if (more.disableCompression)
			assert(!sent.some((s) => /COMPRESS/.test(s)));
		else
			said(/COMPRESS DEFLATE/);
		assert(!c._inflate === !!more.disableCompression);
		const uid = await appends(c);
		await parts(c, uid);
		await searches(c, uid);
		await changes(c, uid);
		await ends(c);
		await c.mailboxDelete('Sent');
		await c.logout();
	}
	console.log('done');
}

main().then(() => process.exit(0), (e) => {
	console.error(e, sent.slice(-5));
	process.exit(1);
});
