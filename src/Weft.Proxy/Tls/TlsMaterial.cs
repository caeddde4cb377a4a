// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Weft.Model.Identity;

namespace Weft.Proxy.Tls;

/// <summary>
/// The workload's identity at one moment: key, chain and the mesh's roots, parsed and found to belong together. Immutable; a rotation
/// makes a new one, which new connections use while old ones go on with theirs.
/// </summary>
public sealed unsafe class TlsMaterial
{
    private readonly TlsHandle[] _handles;

    private TlsMaterial(nint[] chain, nint key, nint[] roots, PeerIdentity own)
    {
        Certificate = chain[0];
        Intermediates = chain[1..];
        Key = key;
        Roots = roots;
        Identity = own.Id ?? new SpiffeId("", "", "");
        _handles = [.. chain.Concat(roots).Select(TlsHandle.OfCertificate), TlsHandle.OfKey(key)];
    }

    /// <summary>Who the workload is.</summary>
    public SpiffeId Identity { get; }

    internal nint Certificate { get; }

    internal nint[] Intermediates { get; }

    internal nint Key { get; }

    internal nint[] Roots { get; }

    /// <summary>Reads the three PEM texts; throws <see cref="TlsException"/> naming what is wrong with which of them.</summary>
    public static TlsMaterial Parse(string chainPem, string keyPem, string rootsPem)
    {
        var chain = ReadCertificates(chainPem);
        if (chain.Length == 0)
        {
            throw new TlsException("The certificate chain holds no certificate");
        }

        var roots = ReadCertificates(rootsPem);
        var key = ReadKey(keyPem);
        var peer = PeerIdentity.Read(chain[0]);
        var material = new TlsMaterial(chain, key, roots, peer);
        if (roots.Length == 0)
        {
            throw new TlsException("The trust bundle holds no certificate");
        }

        if (key == 0)
        {
            throw new TlsException($"The private key cannot be read: {LibSsl.TakeError()}");
        }

        if (peer.Id is null)
        {
            throw new TlsException($"The workload's certificate has no SPIFFE id: {peer.Problem}");
        }

        return material;
    }

    /// <summary>Keeps the native objects until here: to be called after their last use.</summary>
    internal void KeepAlive() => GC.KeepAlive(_handles);

    internal static nint[] ReadCertificates(string pem) => ReadAll(pem, bio => LibSsl.ReadCertificate(bio, 0, 0, 0));

    internal static nint[] ReadRevocations(string pem) => ReadAll(pem, bio => LibSsl.ReadRevocations(bio, 0, 0, 0));

    private static nint[] ReadAll(string pem, Func<nint, nint> readNext)
    {
        var found = new List<nint>();
        var bytes = Encoding.UTF8.GetBytes(pem);
        fixed (byte* start = bytes)
        {
            var bio = LibSsl.BioOfMemory(start, bytes.Length);
            nint item;
            while ((item = readNext(bio)) != 0)
            {
                found.Add(item);
            }

            // The end of the text is reported as an error, too.
            LibSsl.ClearErrors();
            _ = LibSsl.BioFree(bio);
        }

        return [.. found];
    }

    internal static nint ReadKey(string pem)
    {
        var bytes = Encoding.UTF8.GetBytes(pem);
        fixed (byte* start = bytes)
        {
            var bio = LibSsl.BioOfMemory(start, bytes.Length);
            var key = LibSsl.ReadKey(bio, 0, 0, 0);
            _ = LibSsl.BioFree(bio);
            Array.Clear(bytes);
            return key;
        }
    }
}

/// <summary>Frees a native certificate, key or list of revoked certificates when its last managed holder is gone.</summary>
internal sealed class TlsHandle : SafeHandle
{
    private readonly Action<nint> _free;

    private TlsHandle(nint value, Action<nint> free)
        : base(0, ownsHandle: true)
    {
        _free = free;
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    internal static TlsHandle OfCertificate(nint value) => new(value, LibSsl.CertificateFree);

    internal static TlsHandle OfKey(nint value) => new(value, LibSsl.KeyFree);

    internal static TlsHandle OfRevocations(nint value) => new(value, LibSsl.RevocationsFree);

    protected override bool ReleaseHandle()
    {
        _free(handle);
        return true;
    }
}

/// <summary>Certificates or keys that cannot be used.</summary>
public sealed class TlsException : Exception
{
    public TlsException()
    {
    }

    public TlsException(string message)
        : base(message)
    {
    }

    public TlsException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
