// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;

namespace Weft.Proxy.Tls;

/// <summary>A cipher suite of TLS 1.3: what seals records, and what keys are made with (RFC 8446 §B.4).</summary>
internal sealed class TlsSuite
{
    /// <summary>The longest secret of any suite.</summary>
    internal const int LongestSecret = 48;

    private static readonly TlsSuite[] _all =
    [
        new(0x1301, "AES-128-GCM", 16, HashAlgorithmName.SHA256, 32),
        new(0x1302, "AES-256-GCM", 32, HashAlgorithmName.SHA384, 48),
        new(0x1303, "ChaCha20-Poly1305", 32, HashAlgorithmName.SHA256, 32),
    ];

    private readonly ushort _id;

    private TlsSuite(ushort id, string cipher, int keyLength, HashAlgorithmName hash, int secretLength)
    {
        _id = id;
        Cipher = LibCrypto.FetchCipher(0, cipher, 0);
        KeyLength = keyLength;
        Hash = hash;
        SecretLength = secretLength;
    }

    /// <summary>0 where this OpenSSL does not have it.</summary>
    internal nint Cipher { get; }

    internal int KeyLength { get; }

    internal HashAlgorithmName Hash { get; }

    internal int SecretLength { get; }

    /// <summary>Null for a suite that is not one of these.</summary>
    internal static TlsSuite? Find(int id) => Array.Find(_all, suite => suite._id == id && suite.Cipher != 0);

    /// <summary>HKDF-Expand-Label with an empty context (RFC 8446 §7.1).</summary>
    internal void Expand(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, Span<byte> output)
    {
        Span<byte> text = stackalloc byte[4 + 6 + 16];
        text[0] = 0;
        text[1] = (byte)output.Length;
        text[2] = (byte)(6 + label.Length);
        "tls13 "u8.CopyTo(text[3..]);
        label.CopyTo(text[9..]);
        text[9 + label.Length] = 0;
        HKDF.Expand(Hash, secret, output, text[..(10 + label.Length)]);
    }
}
