// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Weft.Model.Identity;
using Weft.Proxy.Authorization;

namespace Weft.Proxy.Tls;

/// <summary>Who the other side is, read once per connection from a certificate whose chain was verified.</summary>
internal sealed unsafe class PeerIdentity
{
    private string _forwardedBy = "";
    private byte[] _forwarded = [];
    private byte[]? _forwardedWhole;

    private PeerIdentity(SpiffeId? id, string uri, string subject, string hash, string? problem)
    {
        Id = id;
        Name = id is null ? null : new PeerName(id);
        Uri = uri;
        Subject = subject;
        Hash = hash;
        Problem = problem;
    }

    /// <summary>The id as policies compare it; null where there is none.</summary>
    internal PeerName? Name { get; }

    /// <summary>Null where the certificate has no id of the mesh's form; then <see cref="Problem"/> says why.</summary>
    internal SpiffeId? Id { get; }

    internal string Uri { get; }

    /// <summary>RFC 2253 form.</summary>
    internal string Subject { get; }

    /// <summary>SHA-256 of the certificate, lower-case hexadecimal.</summary>
    internal string Hash { get; }

    internal string? Problem { get; }

    /// <summary>URIs, DNS names, e-mail and IP addresses, as far as they are plain text.</summary>
    internal IReadOnlyList<string> Names { get; private init; } = [];

    internal IReadOnlyList<string> DnsNames { get; private init; } = [];

    /// <summary>SHA-256 of the public key, base64.</summary>
    internal string KeyHash { get; private init; } = "";

    /// <summary>PEM; empty unless it was asked for.</summary>
    internal string Certificate { get; private init; } = "";

    /// <summary>This peer's element of x-forwarded-client-cert as the given identity writes it; made once for all its connections.</summary>
    internal byte[] ForwardedBy(string own)
    {
        if (_forwarded.Length == 0 || _forwardedBy != own)
        {
            _forwarded = Encoding.ASCII.GetBytes($"By={own};Hash={Hash};Subject=\"{Quoted(Subject)}\";URI={Uri}");
            _forwardedBy = own;
        }

        return _forwarded;
    }

    /// <summary>The same as a gateway says it of a client from outside of the mesh: with the whole certificate and its DNS names.</summary>
    internal byte[] ForwardedWhole()
    {
        if (_forwardedWhole is null)
        {
            var text = new StringBuilder($"Hash={Hash};Cert=\"{System.Uri.EscapeDataString(Certificate)}\";Subject=\"{Quoted(Subject)}\";URI={Uri}");
            foreach (var name in DnsNames)
            {
                text.Append(";DNS=").Append(name);
            }

            _forwardedWhole = Encoding.ASCII.GetBytes(text.ToString());
        }

        return _forwardedWhole;
    }

    internal static PeerIdentity Read(nint certificate) => Read(certificate, HashOf(certificate), isWhole: false);

    /// <summary>Reads a certificate whose <see cref="HashOf"/> is known.</summary>
    internal static PeerIdentity Read(nint certificate, string hash, bool isWhole)
    {
        var names = ReadNames(certificate);
        var uris = names.Where(n => n.Type == LibSsl.GeneralNameUri).Select(n => n.Text).ToList();
        var uri = uris.Count > 0 ? uris[0] : "";
        SpiffeId? id = null;
        var problem = uris.Count switch
        {
            // SPIFFE X.509-SVID section 2: exactly one URI; two could be read differently by two parties.
            0 => "it has no URI name",
            1 => SpiffeId.TryParse(uri, out id) ? null : $"'{uri}' is not spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT",
            _ => "it has more than one URI name",
        };

        // Roots outside of the mesh may sign anything: what could end a field or an element is not repeated.
        var plain = names.Where(n => IsPlain(n.Text)).ToList();
        return new PeerIdentity(id, IsPlain(uri) ? uri : "", ReadSubject(certificate), hash, problem)
        {
            Names = [.. plain.Select(n => n.Text)],
            DnsNames = [.. plain.Where(n => n.Type == LibSsl.GeneralNameDns).Select(n => n.Text)],
            KeyHash = isWhole ? KeyHashOf(certificate) : "",
            Certificate = isWhole ? ReadPem(certificate) : "",
        };
    }

    /// <summary>SHA-256 of the certificate, lower-case hexadecimal; empty where it cannot be had.</summary>
    internal static string HashOf(nint certificate)
    {
        var digest = stackalloc byte[64];
        uint length;
        return LibSsl.CertificateDigest(certificate, LibSsl.Sha256(), digest, &length) == 1
            ? Convert.ToHexStringLower(new ReadOnlySpan<byte>(digest, (int)length))
            : "";
    }

    private static string Quoted(string text) => text.Replace("\"", "\\\"", StringComparison.Ordinal);

    private static bool IsPlain(string text) => text.All(c => c is > ' ' and < (char)0x7F and not ('"' or ',' or ';' or '\\'));

    private static string KeyHashOf(nint certificate)
    {
        var key = LibSsl.CertificateKey(certificate);
        var length = LibSsl.EncodeKey(key, null);
        if (length <= 0)
        {
            return "";
        }

        var bytes = new byte[length];
        fixed (byte* start = bytes)
        {
            var end = start;
            _ = LibSsl.EncodeKey(key, &end);
        }

        return Convert.ToBase64String(SHA256.HashData(bytes));
    }

    private static List<(int Type, string Text)> ReadNames(nint certificate)
    {
        var found = new List<(int, string)>();
        var names = LibSsl.CertificateExtension(certificate, LibSsl.SubjectAltName, 0, 0);
        if (names == 0)
        {
            return found;
        }

        var count = LibSsl.StackCount(names);
        for (var i = 0; i < count; i++)
        {
            int type;
            var value = LibSsl.GeneralNameValue(LibSsl.StackItem(names, i), &type);
            if (type is LibSsl.GeneralNameUri or LibSsl.GeneralNameDns or LibSsl.GeneralNameEmail or LibSsl.GeneralNameAddress)
            {
                var bytes = new ReadOnlySpan<byte>(LibSsl.StringBytes(value), LibSsl.StringLength(value));
                found.Add((type, type != LibSsl.GeneralNameAddress ? Encoding.ASCII.GetString(bytes)
                    : bytes.Length is 4 or 16 ? new IPAddress(bytes).ToString() : ""));
            }
        }

        LibSsl.GeneralNamesFree(names);
        return found;
    }

    private static string ReadSubject(nint certificate)
    {
        var bio = LibSsl.BioNew(LibSsl.BioMemoryMethod());
        _ = LibSsl.NamePrint(bio, LibSsl.CertificateSubject(certificate), 0, LibSsl.NameRfc2253);
        return ReadText(bio, 512);
    }

    private static string ReadPem(nint certificate)
    {
        const int MaxBytes = 16 * 1024;
        var bio = LibSsl.BioNew(LibSsl.BioMemoryMethod());
        _ = LibSsl.WriteCertificate(bio, certificate);
        return ReadText(bio, MaxBytes);
    }

    private static string ReadText(nint bio, int most)
    {
        var buffer = new byte[most];
        fixed (byte* start = buffer)
        {
            var length = LibSsl.BioRead(bio, start, most);
            _ = LibSsl.BioFree(bio);
            return length > 0 ? Marshal.PtrToStringUTF8((nint)start, length) : "";
        }
    }
}
