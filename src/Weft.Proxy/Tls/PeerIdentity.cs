// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Weft.Model.Identity;

namespace Weft.Proxy.Tls;

/// <summary>Who the other side is, read once per connection from a certificate whose chain was verified.</summary>
internal sealed unsafe class PeerIdentity
{
    private string _forwardedBy = "";
    private byte[] _forwarded = [];

    private PeerIdentity(SpiffeId? id, string uri, string subject, string hash, string? problem)
    {
        Id = id;
        Uri = uri;
        Subject = subject;
        Hash = hash;
        Problem = problem;
    }

    /// <summary>Null where the certificate has no id of the mesh's form; then <see cref="Problem"/> says why.</summary>
    internal SpiffeId? Id { get; }

    internal string Uri { get; }

    /// <summary>RFC 2253 form.</summary>
    internal string Subject { get; }

    /// <summary>SHA-256 of the certificate, lower-case hexadecimal.</summary>
    internal string Hash { get; }

    internal string? Problem { get; }

    /// <summary>This peer's element of x-forwarded-client-cert as the given identity writes it; made once for all its connections.</summary>
    internal byte[] ForwardedBy(string own)
    {
        if (_forwarded.Length == 0 || _forwardedBy != own)
        {
            var subject = Subject.Replace("\"", "\\\"", StringComparison.Ordinal);
            _forwarded = Encoding.ASCII.GetBytes($"By={own};Hash={Hash};Subject=\"{subject}\";URI={Uri}");
            _forwardedBy = own;
        }

        return _forwarded;
    }

    internal static PeerIdentity Read(nint certificate) => Read(certificate, HashOf(certificate));

    /// <summary>Reads a certificate whose <see cref="HashOf"/> is known.</summary>
    internal static PeerIdentity Read(nint certificate, string hash)
    {
        var uris = ReadUris(certificate);
        var uri = uris.Count > 0 ? uris[0] : "";
        SpiffeId? id = null;
        var problem = uris.Count switch
        {
            // SPIFFE X.509-SVID section 2: exactly one URI; two could be read differently by two parties.
            0 => "it has no URI name",
            1 => SpiffeId.TryParse(uri, out id) ? null : $"'{uri}' is not spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT",
            _ => "it has more than one URI name",
        };
        return new PeerIdentity(id, uri, ReadSubject(certificate), hash, problem);
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

    private static List<string> ReadUris(nint certificate)
    {
        var uris = new List<string>();
        var names = LibSsl.CertificateExtension(certificate, LibSsl.SubjectAltName, 0, 0);
        if (names == 0)
        {
            return uris;
        }

        var count = LibSsl.StackCount(names);
        for (var i = 0; i < count; i++)
        {
            int type;
            var value = LibSsl.GeneralNameValue(LibSsl.StackItem(names, i), &type);
            if (type == LibSsl.GeneralNameUri)
            {
                uris.Add(Encoding.ASCII.GetString(LibSsl.StringBytes(value), LibSsl.StringLength(value)));
            }
        }

        LibSsl.GeneralNamesFree(names);
        return uris;
    }

    private static string ReadSubject(nint certificate)
    {
        var bio = LibSsl.BioNew(LibSsl.BioMemoryMethod());
        _ = LibSsl.NamePrint(bio, LibSsl.CertificateSubject(certificate), 0, LibSsl.NameRfc2253);
        var buffer = stackalloc byte[512];
        var length = LibSsl.BioRead(bio, buffer, 512);
        _ = LibSsl.BioFree(bio);
        return length > 0 ? Marshal.PtrToStringUTF8((nint)buffer, length) : "";
    }
}
