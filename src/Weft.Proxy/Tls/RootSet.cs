// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tls;

/// <summary>Roots that certificates of the other side must come from, and which of those certificates are revoked.</summary>
internal sealed class RootSet
{
    private readonly TlsHandle[] _handles;

    private RootSet(nint[] roots, nint[] revoked)
    {
        Roots = roots;
        Revoked = revoked;
        _handles = [.. roots.Select(TlsHandle.OfCertificate), .. revoked.Select(TlsHandle.OfRevocations)];
    }

    internal nint[] Roots { get; }

    /// <summary>Lists of revoked certificates; none checks nothing.</summary>
    internal nint[] Revoked { get; }

    internal static RootSet Parse(string rootsPem, string crlPem)
    {
        var roots = new RootSet(TlsMaterial.ReadCertificates(rootsPem), crlPem.Length > 0 ? TlsMaterial.ReadRevocations(crlPem) : []);
        if (roots.Roots.Length == 0)
        {
            throw new TlsException("its roots are no PEM text with certificates");
        }

        // A list that cannot be read revokes nobody, which is not what it was given for.
        return crlPem.Length > 0 && roots.Revoked.Length == 0
            ? throw new TlsException("its list of revoked certificates is no PEM text with one")
            : roots;
    }

    /// <summary>Keeps the native objects until here: to be called after their last use.</summary>
    internal void KeepAlive() => GC.KeepAlive(_handles);
}
