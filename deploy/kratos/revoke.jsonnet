// The body of a Kratos web hook that tells Edgekeeper to forget an identity's sessions; docs/revocation.md says how it is
// used. Kratos cannot sign a web hook, but it makes its body with Jsonnet, and Jsonnet can compute: this is a JWS with
// HS256 (RFC 7515), HMAC (RFC 2104) and SHA-256 (FIPS 180-4), on arrays of bytes.

// What `session.revocation_secret` of edge.yml names; 32 characters at least. Whoever reads this file has it.
local secret = 'REVOCATION_SECRET';

local word = 4294967295;  // 32 bits

// Jsonnet's numbers hold 53 bits, so what is shifted left is cut first.
local rotate(x, n) = (x >> n) | ((x & ((1 << n) - 1)) << (32 - n));

// The first 32 bits behind the point of the square roots of the first 8 primes, and of the cube roots of the first 64.
local begin = [
  1779033703, 3144134277, 1013904242, 2773480762, 1359893119, 2600822924, 528734635, 1541459225,
];
local constants = [
  1116352408, 1899447441, 3049323471, 3921009573, 961987163, 1508970993, 2453635748, 2870763221,
  3624381080, 310598401, 607225278, 1426881987, 1925078388, 2162078206, 2614888103, 3248222580,
  3835390401, 4022224774, 264347078, 604807628, 770255983, 1249150122, 1555081692, 1996064986,
  2554220882, 2821834349, 2952996808, 3210313671, 3336571891, 3584528711, 113926993, 338241895,
  666307205, 773529912, 1294757372, 1396182291, 1695183700, 1986661051, 2177026350, 2456956037,
  2730485921, 2820302411, 3259730800, 3345764771, 3516065817, 3600352804, 4094571909, 275423344,
  430227734, 506948616, 659060556, 883997877, 958139571, 1322822218, 1537002063, 1747873779,
  1955562222, 2024104815, 2227730452, 2361852424, 2428436474, 2756734187, 3204031479, 3329325298,
];

// Arguments are computed before the call (`tailstrict`), else 64 rounds would wait for each other on the stack.
local rounds(w, t, a, b, c, d, e, f, g, h) =
  if t == 64 then [a, b, c, d, e, f, g, h] else
    local one = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ ((e ^ word) & g)) + constants[t] + w[t];
    local two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    rounds(w, t + 1, (one + two) & word, a, b, c, (d + one) & word, e, f, g) tailstrict;

local sha256(bytes) =
  local length = std.length(bytes);
  local zeros = (119 - length % 64) % 64;
  local bits = length * 8;
  local padded = bytes + [128] + std.makeArray(zeros + 4, function(_) 0) + [(bits >> shift) & 255 for shift in [24, 16, 8, 0]];
  local block(state, number) =
    local w = std.makeArray(64, function(t)
      if t < 16 then
        local at = number * 64 + t * 4;
        (padded[at] << 24) | (padded[at + 1] << 16) | (padded[at + 2] << 8) | padded[at + 3]
      else
        local x = w[t - 15];
        local y = w[t - 2];
        (w[t - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)) + w[t - 7] + (rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10))) & word);
    local next = rounds(w, 0, state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]) tailstrict;
    [(state[i] + next[i]) & word for i in std.range(0, 7)];
  local state = std.foldl(block, std.range(0, std.length(padded) / 64 - 1), begin);
  [(part >> shift) & 255 for part in state for shift in [24, 16, 8, 0]];

local hmac(key, bytes) =
  local short = if std.length(key) > 64 then sha256(key) else key;
  local full = short + std.makeArray(64 - std.length(short), function(_) 0);
  local padded(with) = [byte ^ with for byte in full];
  sha256(padded(92) + sha256(padded(54) + bytes));

local base64url(bytes) = std.strReplace(std.strReplace(std.strReplace(std.base64(bytes), '+', '-'), '/', '_'), '=', '');

// Unix seconds of a time as Kratos writes it, in UTC.
local seconds(time) =
  assert std.endsWith(time, 'Z') : 'revoke.jsonnet: `' + time + '` is not in UTC';
  local number(from, length) = std.parseInt(std.substr(time, from, length));
  local month = number(5, 2);
  // Years begin in March here, so that a leap day is the last one.
  local year = number(0, 4) - (if month > 2 then 0 else 1);
  local days = 365 * year + std.floor(year / 4) - std.floor(year / 100) + std.floor(year / 400)
               + std.floor((153 * ((month + 9) % 12) + 2) / 5) + number(8, 2) - 1 - 719468;
  ((days * 24 + number(11, 2)) * 60 + number(14, 2)) * 60 + number(17, 2);

function(ctx)
  assert std.length(secret) >= 32 : 'revoke.jsonnet: write the secret that `session.revocation_secret` of edge.yml names into this file, 32 characters at least';
  local claims = {
    sub: ctx.identity.id,
    exp: seconds(ctx.flow.expires_at),
    // A message has its effect once, so a second change in the same flow must be another message. Kratos does not say when an
    // identity's password was changed, but draws its forms anew, with a new token against forgery.
    jti: ctx.flow.id + '-' + std.md5(std.manifestJsonMinified([ctx.flow, ctx.request_cookies])),
  };
  local part(value) = base64url(std.encodeUTF8(std.manifestJsonMinified(value)));
  local signed = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part(claims);
  { token: signed + '.' + base64url(hmac(std.encodeUTF8(secret), std.encodeUTF8(signed))) }
