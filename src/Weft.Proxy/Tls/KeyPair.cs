// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tls;

/// <summary>A private key and the certificates that go with it. Immutable; any number of contexts may use it.</summary>
internal sealed class KeyPair
{
    private readonly TlsHandle[] _handles;

    private KeyPair(nint[] chain, nint key)
    {
        Certificate = chain[0];
        Intermediates = chain[1..];
        Key = key;
        _handles = [.. chain.Select(TlsHandle.OfCertificate), TlsHandle.OfKey(key)];
    }

    internal nint Certificate { get; }

    internal nint[] Intermediates { get; }

    internal nint Key { get; }

    internal static KeyPair Parse(string chainPem, string keyPem)
    {
        var chain = TlsMaterial.ReadCertificates(chainPem);
        if (chain.Length == 0)
        {
            throw new TlsException("its certificate is no PEM text with a certificate");
        }

        var key = TlsMaterial.ReadKey(keyPem);
        var pair = new KeyPair(chain, key);
        if (key == 0)
        {
            LibSsl.ClearErrors();
            throw new TlsException("its key is no PEM text with a private key");
        }

        if (LibSsl.CertificateFitsKey(pair.Certificate, key) != 1)
        {
            LibSsl.ClearErrors();
            throw new TlsException("its key does not belong to its certificate");
        }

        pair.KeepAlive();
        return pair;
    }

    /// <summary>Keeps the native objects until here: to be called after their last use.</summary>
    internal void KeepAlive() => GC.KeepAlive(_handles);
}
