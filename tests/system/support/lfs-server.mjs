// The Git LFS part of a git server: the batch API, uploads and downloads, for the playground's GitServer.

/** Makes `gitServer` serve LFS; gives what was uploaded, { oid: bytes }. The API wants the git server's token. */
export function serveLfs(gitServer) {
    const objects = new Map();
    const [answerGit] = gitServer.https.listeners('request');
    gitServer.https.removeAllListeners('request');
    gitServer.https.on('request', async (request, response) => {
        const { pathname } = new URL(request.url, 'https://lfs.invalid');
        const oid = /^\/lfs-objects\/([0-9a-f]{64})$/.exec(pathname)?.[1];
        if (!oid && !pathname.endsWith('/info/lfs/objects/batch') && !pathname.includes('/info/lfs/locks')) {
            return answerGit(request, response);
        }
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const body = Buffer.concat(chunks);
        const reply = (status, value) => {
            response.writeHead(status, { 'content-type': 'application/vnd.git-lfs+json',
                ...(status === 401 && { 'lfs-authenticate': 'Basic realm="playground"' }) });
            response.end(Buffer.isBuffer(value) ? value : JSON.stringify(value));
        };
        if (oid && request.method === 'PUT') {
            objects.set(oid, body);
            return reply(200, {});
        }
        if (oid) return objects.has(oid) ? reply(200, objects.get(oid)) : reply(404, {});
        const password = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString().split(':')[1];
        if (password !== gitServer.token) return reply(401, { message: 'credentials needed' });
        if (pathname.includes('/locks')) return reply(404, { message: 'no locks here' });
        const { operation, objects: wanted } = JSON.parse(body);
        const href = (id) => `https://${gitServer.vcsHost}/lfs-objects/${id}`;
        return reply(200, { transfer: 'basic', objects: wanted.map(({ oid: id, size }) => ({ oid: id, size,
            ...(operation === 'upload' && !objects.has(id) && { actions: { upload: { href: href(id) } } }),
            ...(operation === 'download' && { actions: { download: { href: href(id) } } }) })) });
    });
    return objects;
}
