// A SAML provider of the field: npm's samlp, behind a plain server. Prints its port; an answer is the posted value.
const http = require('http'), samlp = require('samlp');
const { key, cert, signResponse } = JSON.parse(process.argv[2]);
const name = { givenName: 'Elena', familyName: 'Sato' };
const user = { id: 'u-1', name, displayName: 'Elena Sato', emails: [{ value: 'elena@acme.example' }] };
const usual = {
  issuer: 'https://idp.acme.example/saml',
  key, cert, signResponse,
  signAssertion: !signResponse,
  signatureAlgorithm: 'rsa-sha256',
  digestAlgorithm: 'sha256',
  nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  getUserFromRequest: () => user,
  responseHandler: (response, options, request, answer) => answer.end(response.toString('base64')),
};
http.createServer((request, answer) => {
  const failed = (error) => { answer.statusCode = 500; answer.end(String(error)); };
  request.query = Object.fromEntries(new URL(request.url, 'http://x').searchParams);
  request.originalUrl = request.url;
  samlp.parseRequest(request, {}, (error, asked) => {
    if (error) return failed(error);
    const to = asked.assertionConsumerServiceURL;
    samlp.auth({ ...usual, recipient: to, destination: to, getPostURL: (a, d, r, done) => done(null, to) })(request, answer, failed);
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
