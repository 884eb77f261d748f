// A client that keeps what it knows of INBOX in FILE, and brings it up to
// date by QRESYNC.  usage: node imapflow.js first|again|live FILE
const fs = require('fs');
const env = process.env;
const { ImapFlow } = require(env.ROOT + '/build/npm/node_modules/imapflow');
const [mode, file] = process.argv.slice(2);

async function connect() {
	const c = new ImapFlow({
		host: '127.0.0.1', port: +env.IMAPS_PORT, secure: true,
		servername: 'localhost', tls: { ca: fs.readFileSync(env.PNEU_CA) },
		auth: { user: 'alice@example.test', pass: 'secret-alice' },
		qresync: true, logger: false,
	});
	await c.connect();
	return c;
}

const text = (flags) => [...flags].filter((f) => f !== '\\Recent').sort().join(' ');

async function fetch(c, view, range) {
	for await (const m of c.fetch(range, { uid: true, flags: true }, { uid: true }))
		view[m.uid] = text(m.flags);
}

async function fresh() {
	const c = await connect(), view = {};
	const box = await c.mailboxOpen('INBOX', { readOnly: true });
	if (box.exists > 0)
		await fetch(c, view, '1:*');
	await c.logout();
	return JSON.stringify(view);
}

// Take what is told into the view; the numbers of expunges need its order.
function follow(c, view, seen) {
	c.on('flags', (m) => {
		seen.flags++;
		view[m.uid] = text(m.flags);
	});
	c.on('expunge', (m) => {
		seen.vanished += m.vanished ? 1 : 0;
		delete view[m.uid];
	});
}

async function main() {
	let state = mode === 'first' ? { view: {} } : JSON.parse(fs.readFileSync(file));
	const c = await connect(), seen = { flags: 0, vanished: 0 };
	if (!c.enabled.has('QRESYNC'))
		throw new Error('QRESYNC is not enabled');
	follow(c, state.view, seen);
	const box = await c.mailboxOpen('INBOX', mode === 'first' ? {} :
		{ changedSince: BigInt(state.modseq), uidValidity: BigInt(state.validity) });
	if (mode !== 'first' && String(box.uidValidity) !== state.validity)
		throw new Error('another UIDVALIDITY');
	const top = Math.max(0, ...Object.keys(state.view).map(Number));
	if (box.exists > 0 && box.uidNext > top + 1)
		await fetch(c, state.view, `${top + 1}:*`);
	if (mode === 'live') {
		fs.writeFileSync(file + '.ready', '');
		let waiting = true, news = 0;
		c.on('exists', () => news++);
		c.idle().catch(() => {});
		const end = Date.now() + 120000;
		while (waiting) {
			await new Promise((r) => setTimeout(r, 100));
			if (news > 0) {
				news = 0;
				await fetch(c, state.view, `${top + 1}:*`);
				c.idle().catch(() => {});
			}
			waiting = !fs.existsSync(file + '.done') ||
				JSON.stringify(state.view) !== await fresh();
			if (Date.now() > end)
				throw new Error('live: ' + JSON.stringify(state.view) +
					' is not ' + await fresh());
		}
	}
	state.modseq = String(c.mailbox.highestModseq);
	state.validity = String(box.uidValidity);
	fs.writeFileSync(file, JSON.stringify(state));
	await c.logout();
	const is = JSON.stringify(state.view), want = await fresh();
	if (is !== want)
		throw new Error(`${mode}: ${is} is not ${want}`);
	console.log(mode, Object.keys(state.view).length, 'messages',
		seen.flags, 'flags', seen.vanished, 'vanished');
}

main().then(() => process.exit(0), (e) => {
	console.error(e);
	process.exit(1);
});
