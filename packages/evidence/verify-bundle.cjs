#!/usr/bin/env node
// Checks an evidence bundle of Attest (docs/evidence-bundle.md) without Attest: needs this file and Node.js 20, and no network.
'use strict';
const { createHash, verify } = require('node:crypto');
const fs = require('node:fs');
const { parseArgs } = require('node:util');

const USAGE = `Usage: node verify-bundle.cjs BUNDLE [--key FINGERPRINT]... [--keys FILE] [--json]
  --key    a key whose seals count, by its fingerprint (RFC 7638); take it from elsewhere than the bundle
  --keys   the same, from a file as Attest publishes it at /.well-known/attest-seal-keys.json
Exit codes: 0 everything holds; 1 something does not; 2 wrong arguments; 3 it holds together, but no key was named.
`;

/** A check that names the place of what it finds. */
const at = (where) => (holds, detail) => {
  if (!holds) throw Object.assign(new Error(detail), { where });
};

// Hashes: SHA-256, canonical JSON (RFC 8785), Merkle trees (RFC 9162).
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const hex = (bytes) => bytes.toString('hex');
const leafHash = (input) => sha256(Buffer.of(0), input);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const START = '0'.repeat(64);

function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

/** The loop of RFC 9162, 2.1.3.2 and 2.1.4.2: tells for each hash of a proof on which side it stands. */
function climbs(fn, sn, proof, onLeft, onRight) {
  const up = () => ([fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]);
  for (const hash of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      onLeft(hash);
      while (fn % 2 === 0 && fn !== 0) up();
    } else onRight(hash);
    up();
  }
  return sn === 0;
}

function includes({ size, root }, leaf, index, proof) {
  let r = leaf;
  const [onLeft, onRight] = [(hash) => (r = nodeHash(hash, r)), (hash) => (r = nodeHash(r, hash))];
  return index < size && climbs(index, size - 1, proof, onLeft, onRight) && r.equals(root);
}

function grew(first, second, proof) {
  const [start, ...path] = Number.isInteger(Math.log2(first.size)) ? [first.root, ...proof] : proof;
  let [fn, sn, fr, sr] = [first.size - 1, second.size - 1, start, start];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  const onLeft = (hash) => ([fr, sr] = [nodeHash(hash, fr), nodeHash(hash, sr)]);
  const climbed = climbs(fn, sn, path, onLeft, (hash) => (sr = nodeHash(sr, hash)));
  return climbed && fr.equals(first.root) && sr.equals(second.root);
}

/** An entry of a tar whose every byte follows from the names and contents of its entries. */
function tarEntry(name, content) {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0        0`, 124);
  header.write('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

class Bundle {
  entries = [];

  /** @param read gives so many bytes from a place on */
  constructor(read, size) {
    let [place, length] = [0, 0];
    for (; ; place += length) {
      at('the file')(place + 1024 <= size, 'ends too early');
      const header = read(place, 512);
      if (header.every((byte) => byte === 0)) break;
      const [name] = header.toString('latin1', 0, 100).split('\0');
      const [start, bytes] = [place + 512, parseInt(header.toString('latin1', 124, 135), 8)];
      length = 512 * (1 + Math.ceil(bytes / 512));
      at(name)(place + length + 1024 <= size, 'ends too early');
      at(name)(read(place, length).equals(tarEntry(name, read(start, bytes))), 'has another header than it must');
      this.entries.push({ name, content: () => read(start, bytes) });
    }
    at('the file')(place + 1024 === size && hex(read(place, 1024)) === '00'.repeat(1024), 'has another end');
  }

  /** What stands in the lines of an entry, or of those in a folder; each line must be written in the one canonical way. */
  *lines(wanted) {
    for (const { name, content } of this.entries.filter(({ name }) => name.startsWith(wanted))) {
      const lines = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content()).split('\n');
      at(name)(lines.pop() === '', 'ends in the middle of a line');
      for (const line of lines) {
        const value = JSON.parse(line);
        at(name)(canonical(value) === line, `has a line that is not canonical JSON: ${line.slice(0, 60)}`);
        yield value;
      }
    }
  }

  one(name) {
    const [line, ...more] = this.lines(name);
    at(name)(line && more.length === 0, 'must have one line');
    return line;
  }
}

const has = (value, members) => Object.keys(value).sort().join() === members;
function hashesOf(proof, check) {
  check(Array.isArray(proof) && proof.every((hash) => /^[0-9a-f]{64}$/.test(hash)), 'has a proof that is none');
  return proof.map((hash) => Buffer.from(hash, 'hex'));
}

function checkKey({ x, kid, ...rest }, check) {
  const isItsOwn = kid === sha256(canonical({ crv: 'Ed25519', kty: 'OKP', x })).toString('base64url');
  const isPlain = canonical(rest) === '{"alg":"EdDSA","crv":"Ed25519","kty":"OKP","use":"sig"}';
  check(isItsOwn && isPlain, 'introduces a key that is not well-formed');
}

function checkSignature(key, body, signature, check) {
  const bytes = Buffer.from(signature.signature, 'base64url');
  check(canonical(signature) === canonical({ key: key.kid, signature: bytes.toString('base64url') }), 'is not signed');
  const isSigned = verify(null, Buffer.from(canonical(body)), { key, format: 'jwk' }, bytes);
  check(isSigned, `has no valid signature of key ${key.kid}`);
}

function checkSeals(bundle, tenant) {
  const [seals, keys] = [[], []];
  let last = { hash: START, size: 0, upTo: '0' };
  for (const seal of bundle.lines('seals.ndjson')) {
    const { body, signatures } = seal;
    const check = at(`seal ${seals.length}`);
    check(has(seal, 'body,signatures') && body.format === 'attest-seal/1' && body.tenant === tenant, 'is none');
    check(body.number === seals.length && body.previous === last.hash, 'does not follow the seal before it');
    check(body.from === last.size && body.after === last.upTo, 'does not begin where the seal before it ends');
    check(body.size > body.from && BigInt(body.upTo) > BigInt(body.after), 'covers nothing');
    const [root] = hashesOf([body.root], check);
    const signers = keys.slice(-1);
    if (body.introduces) {
      checkKey(body.introduces, check);
      keys.push(body.introduces);
      signers.push(body.introduces);
    }
    check(signers.length > 0 && signatures.length === signers.length, 'is not signed by all who must sign it');
    signers.forEach((key, i) => checkSignature(key, body, signatures[i], check));
    last = { ...body, root, hash: hex(sha256(canonical(seal))) };
    seals.push(last);
  }
  at('keys.json')(canonical(bundle.one('keys.json')) === canonical({ keys }), 'has other keys than the seals');
  return { seals, keys };
}

/** The leaf of an event that stands at its place under the seals, and the link that it has behind another. */
function checkEvent(event, index, seals, check) {
  check(has(event, 'data,id,metadata,position,recordedAt,revision,stream,type'), 'is no event');
  const seal = seals.find(({ size }) => index < size);
  const isCovered = seal && BigInt(event.position) > BigInt(seal.after) && BigInt(event.position) <= BigInt(seal.upTo);
  check(isCovered && index >= seal.from && Number.isSafeInteger(index), 'is not covered by the seal of its index');
  const { hash, ...metadata } = event.metadata;
  const { data, id, type } = event;
  const digests = { data: hex(sha256(canonical(data))), metadata: hex(sha256(canonical(metadata))) };
  const leaf = leafHash(canonical({ ...event, ...digests, hash }));
  return { leaf, linkBehind: (link) => hex(sha256(link, canonical({ data, id, metadata, type }))) };
}

/** Gives the root of the tree that the events make. */
function checkEvents(bundle, manifest, seals) {
  const { tenant, complete, upTo } = manifest;
  const [hashes, ends, subtrees, tree] = [bundle.lines('hashes/'), new Map(), [], seals.at(-1)];
  let [count, before] = [0, { index: -1, position: 0n }];
  for (const event of bundle.lines('events/')) {
    const { stream, revision, metadata } = event;
    const check = at(`the event at position ${event.position}, ${stream} revision ${revision}`);
    const { value: line = {} } = hashes.next();
    const { index, proof, ...rest } = line;
    const { leaf, linkBehind } = checkEvent(event, index, seals, check);
    check(canonical(rest) === canonical({ leaf: hex(leaf), position: event.position }), 'is not what its hash says');
    const position = BigInt(event.position);
    check(index > before.index && position > before.position, 'does not come behind the event before it');
    check(position <= BigInt(upTo) && stream.startsWith(`${tenant}.`), 'does not belong to the bundle');
    if (complete) check(index === count && has(line, 'index,leaf,position'), 'follows events that are missing');
    else check(includes(tree, leaf, index, hashesOf(proof, check)), 'is not in the sealed tree');
    const end = revision === 0 ? { link: START, next: 0 } : ends.get(stream);
    check(!complete || end?.next === revision, 'follows a revision of its stream that is missing');
    check(end?.next !== revision || linkBehind(end.link) === metadata.hash, 'is not chained to the one before it');
    ends.set(stream, { link: metadata.hash, next: revision + 1 });
    subtrees.push(leaf);
    for (let n = count++; n % 2 === 1; n = (n - 1) / 2) subtrees.push(nodeHash(...subtrees.splice(-2)));
    before = { index, position };
  }
  at('the events')(count > 0 && count === manifest.events && hashes.next().done, `are ${count}, not as many as named`);
  return subtrees.reduceRight((right, left) => nodeHash(left, right));
}

function checkGrowth(bundle, trees) {
  const lines = [...bundle.lines('consistency.ndjson')];
  at('consistency.ndjson')(lines.length === trees.length, 'must have one line for each step');
  trees.forEach(([first, second], i) => {
    const { proof, ...sizes } = lines[i];
    const check = at(`the growth of the tree from ${first.size} to ${second.size} events`);
    check(canonical(sizes) === canonical({ from: first.size, to: second.size }), 'has no proof');
    check(grew(first, second, hashesOf(proof, check)), 'is not proved: history was rewritten');
  });
}

/** The log itself has the digest of the manifest, and the manifest that of everything before it. */
function checkManifest(bundle, manifest, content, seals) {
  content.forEach((name, i) => {
    const bytes = bundle.entries[i].content();
    const entry = { name, sha256: hex(sha256(bytes)), size: bytes.length };
    at(name)(canonical(entry) === canonical(manifest.entries[i]), 'is not the one that the manifest names');
  });
  const receipt = bundle.one('receipt.json');
  const { event, index, proof } = receipt;
  const check = at('receipt.json');
  check(has(receipt, 'event,index,proof') && event.type === 'EvidenceExported', 'is no record of an export');
  check(event.stream.startsWith(`${manifest.tenant}.auditlog-`), 'is of another log');
  const { leaf } = checkEvent(event, index, seals, check);
  check(includes(seals.at(-1), leaf, index, hashesOf(proof, check)), 'is not in the sealed tree');
  const digest = hex(sha256(bundle.entries[content.length].content()));
  at('manifest.json')(event.data.digest === digest, 'is not the one that the log records');
}

function checkBundle(bundle, trusted) {
  const names = bundle.entries.map(({ name }) => name);
  const manifest = bundle.one('manifest.json');
  at('manifest.json')(manifest.format === 'attest-evidence/1', 'has a format that this program does not know');
  const numberOf = (i) => String(i + 1).padStart(6, '0');
  const numbered = (folder) =>
    names.filter((name) => name.startsWith(folder)).map((_, i) => `${folder}${numberOf(i)}.ndjson`);
  const content = [...numbered('events/'), ...(manifest.personal ? ['personal.ndjson'] : []), 'report.html'];
  const proofs = ['keys.json', 'seals.ndjson', ...numbered('hashes/'), 'consistency.ndjson', 'receipt.json'];
  at('the file')(names.join() === [...content, 'manifest.json', ...proofs].join(), 'has other entries than it must');
  const { seals, keys } = checkSeals(bundle, manifest.tenant);
  const kids = keys.map(({ kid }) => kid);
  const keyNamed = kids.some((kid) => trusted.includes(kid));
  at('keys.json')(keyNamed || trusted.length === 0, `has ${kids.join(', ')}, and no key that was named`);
  const root = checkEvents(bundle, manifest, seals);
  const trees = seals.slice(1).map((seal, i) => [seals[i], seal]);
  if (manifest.complete) trees.push([{ size: manifest.events, root }, seals.at(-1)]);
  checkGrowth(bundle, trees);
  checkManifest(bundle, manifest, content, seals);
  const { sealedAt } = seals.at(-1);
  return { ...manifest, ok: true, problem: null, seals: seals.length, sealedAt, keys: kids, keyNamed };
}

/** @param trusted fingerprints of keys whose seals count */
function verifyBundle(file, trusted = []) {
  const handle = fs.openSync(file, 'r');
  const read = (from, length) => {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, fs.readSync(handle, bytes, 0, length, from));
  };
  try {
    return checkBundle(new Bundle(read, fs.fstatSync(handle).size), trusted);
  } catch ({ where, message }) {
    const detail = where ? message : `cannot be read: ${message}`;
    return { ok: false, problem: { where: where || 'the file', detail } };
  } finally {
    fs.closeSync(handle);
  }
}

function describe(verdict) {
  if (!verdict.ok) return `IT DOES NOT HOLD: ${verdict.problem.where} ${verdict.problem.detail}.`;
  const { events, tenant, scope, complete, exportedAt, exportedBy, seals, sealedAt, keys, keyNamed } = verdict;
  return `Everything holds: ${events} events of ${tenant} ${canonical(scope)}, ${complete ? 'all there are' : 'an extract'}.
Exported at ${exportedAt} by ${exportedBy}, as the sealed log says itself; ${seals} seals, the newest of ${sealedAt}.
Signed with ${keys.join(', then ')}.${keyNamed ? '' : '\nNO KEY WAS NAMED: anybody may have made these. Use --key.'}`;
}

function main(args) {
  const options = { key: { type: 'string', multiple: true }, keys: { type: 'string' }, json: { type: 'boolean' } };
  // A fingerprint may begin with "-": only behind "=" it is not taken for an option.
  for (let i; (i = args.slice(0, -1).indexOf('--key')) >= 0;) args.splice(i, 2, `--key=${args[i + 1]}`);
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (positionals.length !== 1) throw new Error('Name one bundle.');
  const published = values.keys ? JSON.parse(fs.readFileSync(values.keys, 'utf8')).keys.map(({ kid }) => kid) : [];
  const verdict = verifyBundle(positionals[0], [...(values.key ?? []), ...published]);
  process.stdout.write(`${values.json ? JSON.stringify(verdict) : describe(verdict)}\n`);
  return verdict.ok ? (verdict.keyNamed ? 0 : 3) : 1;
}

module.exports = { canonical, describe, verifyBundle };

if (require.main === module) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  }
}
