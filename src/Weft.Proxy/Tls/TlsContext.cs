// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using System.Text;
using Weft.Model;
using Weft.Model.Plan;

namespace Weft.Proxy.Tls;

/// <summary>
/// Settings for one kind of TLS connection with one identity: made per loop, plan and identity, shared by the connections made from it.
/// </summary>
internal sealed unsafe class TlsContext : IDisposable
{
    // AES-128-GCM first: a third cheaper than AES-256 and enough for keys that live a day.
    private const string Suites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
    private const string Ciphers12 =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";

    // What comes from outside has no hardware for AES as often as not.
    private const string OutsideCiphers12 = Ciphers12 + ":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    private const string OldCiphers = "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";

    // Sessions may ask for the list after their context was dropped, so lists live as long as the process; few differ.
    private static readonly Dictionary<string, nint> _alpnLists = [];

    private long _movedAt;
    private int _stuck;
    private int _users;
    private bool _dropped;

    private TlsContext(bool isServer)
    {
        IsServer = isServer;
        Handle = LibSsl.ContextNew(LibSsl.TlsMethod());
        if (Handle == 0)
        {
            throw new TlsException($"TLS is not available: {LibSsl.TakeError()}");
        }

        _ = LibSsl.ContextControl(Handle, LibSsl.ControlMinProtocol, LibSsl.Tls12, 0);

        // No chain by itself: libssl would look for our own certificate's issuer in every handshake, verify the two, and send the root,
        // which the peer reads, keeps, and must not trust for having been sent.
        _ = LibSsl.ContextControl(
            Handle,
            LibSsl.ControlSetMode,
            LibSsl.ModePartialWrite | LibSsl.ModeMovingBuffer | LibSsl.ModeNoAutoChain | LibSsl.ModeReleaseBuffers,
            0);
        LibSsl.ContextSetKeyLog(Handle, TlsEngine.KeyLog);

        // No resumption: a ticket that outlives the identity it was given to would be a way around verification.
        _ = LibSsl.ContextControl(Handle, LibSsl.ControlSessionCache, 0, 0);
        _ = LibSsl.ContextSetTicketCount(Handle, 0);
        _ = LibSsl.ContextSetOptions(
            Handle, LibSsl.OptionNoTicket | LibSsl.OptionCipherServerPreference | LibSsl.OptionNoRenegotiation);
        _ = LibSsl.ContextSetSuites(Handle, Suites13);
        _ = LibSsl.ContextSetCiphers(Handle, Ciphers12);
    }

    internal nint Handle { get; private set; }

    /// <summary>Handshakes that are under way.</summary>
    internal int Handshakes { get; private set; }

    /// <summary>Clients that wait for some of them to end.</summary>
    internal Queue<TlsChannel> Waiting { get; } = new(0);

    /// <summary>The engine knows that some wait.</summary>
    internal bool IsCrowded { get; set; }

    internal bool IsServer { get; }

    /// <summary>True in the mesh: the peer must show a SPIFFE id of an accepted trust domain.</summary>
    internal bool VerifiesIdentity { get; private init; }

    internal EquatableArray<string> TrustDomains { get; private init; }

    /// <summary>Accepted ids; empty accepts all of the trust domains.</summary>
    internal EquatableArray<string> AcceptedNames { get; private init; }

    internal string Sni { get; private init; } = "";

    /// <summary>Simple TLS: the names of which the certificate must be for one; none checks none.</summary>
    internal EquatableArray<string> ExpectedHosts { get; private init; } = [];

    /// <summary>What a peer from outside of the mesh must be like; null in the mesh, and where the names above are enough.</summary>
    internal PeerRule? Rule { get; private init; }

    /// <summary>The server's side of mutual TLS, or of one-sided TLS where no client certificate is wanted.</summary>
    internal static TlsContext ForServer(DownstreamTlsPlan plan, TlsMaterial material)
    {
        var context = new TlsContext(isServer: true)
        {
            VerifiesIdentity = plan.RequireClientCertificate,
            TrustDomains = plan.TrustDomains.Count > 0 ? plan.TrustDomains : [material.Identity.TrustDomain],
            AcceptedNames = plan.Clients?.SubjectAltNames ?? [],
        };
        context.Limit(plan.Parameters, Ciphers12);
        context.UseIdentity(material);
        if (plan.RequireClientCertificate)
        {
            context.TrustRoots(material.Roots, LibSsl.VerifyPeer | LibSsl.VerifyFailIfNoPeer);
            material.KeepAlive();
        }

        if (plan.AlpnProtocols.Count > 0)
        {
            LibSsl.ContextSetAlpnSelect(context.Handle, &SelectAlpn, AlpnList(plan.AlpnProtocols));
        }

        return context;
    }

    /// <summary>The server's side with the operator's certificates. Throws where what it needs is not there.</summary>
    internal static TlsContext ForOutside(DownstreamTlsPlan plan, CredentialSet credentials)
    {
        var context = new TlsContext(isServer: true)
        {
            Rule = plan.Clients is { } accepted ? PeerRule.OfClients(plan.RequireClientCertificate, accepted) : null,
        };
        try
        {
            foreach (var source in plan.Certificates)
            {
                context.Use(credentials.PairOf(source));
            }

            if (plan.Clients is { } clients)
            {
                // Without roots every certificate would do.
                var roots = credentials.RootsOf(clients.Secret, clients.CaFile, clients.CrlFile) ?? throw new TlsException("no roots for clients are named");
                context.Trust(roots, plan.RequireClientCertificate ? LibSsl.VerifyPeer | LibSsl.VerifyFailIfNoPeer : LibSsl.VerifyPeer);
            }

            context.Limit(plan.Parameters, OutsideCiphers12);
            if (plan.AlpnProtocols.Count > 0)
            {
                LibSsl.ContextSetAlpnSelect(context.Handle, &SelectAlpn, AlpnList(plan.AlpnProtocols));
            }

            return context;
        }
        catch (TlsException)
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>The client's side of mutual TLS in the mesh.</summary>
    internal static TlsContext ForMeshClient(UpstreamTlsPlan plan, TlsMaterial material)
    {
        var context = new TlsContext(isServer: false)
        {
            VerifiesIdentity = true,
            TrustDomains = [material.Identity.TrustDomain],
            AcceptedNames = plan.SubjectAltNames,
            Sni = plan.Sni,
        };
        context.UseIdentity(material);
        context.TrustRoots(material.Roots, LibSsl.VerifyPeer);
        material.KeepAlive();
        context.OfferAlpn(plan.AlpnProtocols);
        return context;
    }

    /// <summary>TLS to a server outside the mesh, with the operator's certificate if there is one. Throws where what it needs is not there.</summary>
    internal static TlsContext ForSimpleClient(UpstreamTlsPlan plan, CredentialSet credentials)
    {
        // libssl knows hosts and their wildcards; identities of other meshes are compared as they are.
        var named = plan.SubjectAltNames.Any(name => name.Contains("://", StringComparison.Ordinal));
        var context = new TlsContext(isServer: false)
        {
            Sni = plan.Sni,
            ExpectedHosts = plan.InsecureSkipVerify || named ? [] : plan.SubjectAltNames.Count > 0 ? plan.SubjectAltNames : [plan.Sni],
            Rule = named && !plan.InsecureSkipVerify ? new PeerRule(true, plan.SubjectAltNames, [], []) : null,
        };
        try
        {
            if (plan.Certificate is { } own)
            {
                context.Use(credentials.PairOf(own));
            }

            if (!plan.InsecureSkipVerify)
            {
                context.Trust(credentials.RootsOf(plan.CaSecret, plan.CaCertificatesFile, plan.CrlFile), LibSsl.VerifyPeer);
            }

            context.OfferAlpn(plan.AlpnProtocols);
            return context;
        }
        catch (TlsException)
        {
            context.Dispose();
            throw;
        }
    }

    internal void BeginHandshake(long now)
    {
        if (Handshakes++ == 0)
        {
            _movedAt = now;
            _stuck = 0;
        }
    }

    internal void EndHandshake(long now)
    {
        Handshakes--;
        _stuck = Math.Min(_stuck, Handshakes);
        _movedAt = now;
    }

    /// <summary>
    /// True if fewer than so many are under way. If for <paramref name="patienceMs"/> none has ended, those that are count no longer: they may
    /// never end.
    /// </summary>
    internal bool HasRoom(int most, int patienceMs, long now)
    {
        if (Handshakes - _stuck >= most && PatienceUntil(patienceMs) <= now)
        {
            _stuck = Handshakes;
            _movedAt = now;
        }

        return Handshakes - _stuck < most;
    }

    internal long PatienceUntil(int patienceMs) => _movedAt + patienceMs;

    /// <summary>A session will be made from it, whatever becomes of it until <see cref="Release"/>.</summary>
    internal void Hold() => _users++;

    internal void Release()
    {
        _users--;
        FreeIfUnused();
    }

    public void Dispose()
    {
        _dropped = true;
        FreeIfUnused();
    }

    private void FreeIfUnused()
    {
        if (_dropped && _users == 0 && Handle != 0)
        {
            // Sessions made from it hold references of their own.
            LibSsl.ContextFree(Handle);
            Handle = 0;
        }
    }

    private void UseIdentity(TlsMaterial material)
    {
        Use(material.Certificate, material.Key, material.Intermediates);
        material.KeepAlive();
    }

    private void Use(KeyPair pair)
    {
        Use(pair.Certificate, pair.Key, pair.Intermediates);
        pair.KeepAlive();
    }

    private void Use(nint own, nint key, nint[] intermediates)
    {
        if (LibSsl.ContextUseCertificate(Handle, own) != 1 ||
            LibSsl.ContextUseKey(Handle, key) != 1 ||
            LibSsl.ContextCheckKey(Handle) != 1)
        {
            throw new TlsException($"The key does not belong to the certificate: {LibSsl.TakeError()}");
        }

        foreach (var certificate in intermediates)
        {
            // SSL_CTX_add1_chain_cert: the context takes a reference of its own.
            const int AddChainCertificate = 89;
            _ = LibSsl.ContextControl(Handle, AddChainCertificate, 1, certificate);
        }
    }

    /// <summary>Versions and ciphers. What is older than 1.2 needs what libssl refuses by itself today.</summary>
    private void Limit(TlsParametersPlan parameters, string ciphers)
    {
        var old = parameters.Min is TlsVersion.Tls10 or TlsVersion.Tls11;
        if (parameters.Min != TlsVersion.Default)
        {
            _ = LibSsl.ContextControl(Handle, LibSsl.ControlMinProtocol, VersionNumber(parameters.Min), 0);
        }

        if (parameters.Max != TlsVersion.Default)
        {
            _ = LibSsl.ContextControl(Handle, LibSsl.ControlMaxProtocol, VersionNumber(parameters.Max), 0);
        }

        if (old)
        {
            LibSsl.ContextSetSecurity(Handle, 0);
        }

        var chosen = parameters.Ciphers.Count > 0 ? string.Join(':', parameters.Ciphers) : old ? $"{ciphers}:{OldCiphers}" : ciphers;
        if (LibSsl.ContextSetCiphers(Handle, chosen) != 1)
        {
            throw new TlsException($"None of the ciphers can be had: {LibSsl.TakeError()}");
        }
    }

    private static long VersionNumber(TlsVersion version) => LibSsl.Tls12 + (version - TlsVersion.Tls12);

    private void TrustRoots(nint[] roots, int mode)
    {
        var store = LibSsl.ContextStore(Handle);
        foreach (var root in roots)
        {
            _ = LibSsl.StoreAdd(store, root);
        }

        LibSsl.ContextSetVerify(Handle, mode, 0);
    }

    /// <summary>Null for the system's roots. A server says which roots its clients' certificates must come from.</summary>
    private void Trust(RootSet? roots, int mode)
    {
        if (roots is null)
        {
            _ = LibSsl.ContextUseSystemRoots(Handle);
            LibSsl.ContextSetVerify(Handle, mode, 0);
            return;
        }

        TrustRoots(roots.Roots, mode);
        foreach (var root in IsServer ? roots.Roots : [])
        {
            _ = LibSsl.ContextAnnounceRoot(Handle, root);
        }

        var store = LibSsl.ContextStore(Handle);
        foreach (var list in roots.Revoked)
        {
            _ = LibSsl.StoreAddRevocations(store, list);
        }

        if (roots.Revoked.Length > 0)
        {
            _ = LibSsl.StoreSetFlags(store, LibSsl.VerifyRevocations);
        }

        roots.KeepAlive();
    }

    private void OfferAlpn(EquatableArray<string> protocols)
    {
        if (protocols.Count > 0)
        {
            var wire = EncodeAlpn(protocols, out var length);
            _ = LibSsl.ContextSetAlpn(Handle, wire + sizeof(int), (uint)length);
            NativeMemory.Free(wire);
        }
    }

    private static nint AlpnList(EquatableArray<string> protocols)
    {
        var key = string.Join(',', protocols);
        lock (_alpnLists)
        {
            if (!_alpnLists.TryGetValue(key, out var list))
            {
                list = (nint)EncodeAlpn(protocols, out _);
                _alpnLists[key] = list;
            }

            return list;
        }
    }

    /// <summary>An int with the length, then the protocols as on the wire.</summary>
    private static byte* EncodeAlpn(EquatableArray<string> protocols, out int length)
    {
        length = 0;
        foreach (var protocol in protocols)
        {
            length += 1 + protocol.Length;
        }

        var wire = (byte*)NativeMemory.Alloc((nuint)(sizeof(int) + length));
        *(int*)wire = length;
        var rest = new Span<byte>(wire + sizeof(int), length);
        foreach (var protocol in protocols)
        {
            rest[0] = (byte)protocol.Length;
            Encoding.ASCII.GetBytes(protocol, rest[1..]);
            rest = rest[(1 + protocol.Length)..];
        }

        return wire;
    }

    /// <summary>The server's first preference that the client offers; none in common goes on without ALPN, as Envoy does.</summary>
    [UnmanagedCallersOnly]
    private static int SelectAlpn(nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength, nint own)
    {
        var preferred = new ReadOnlySpan<byte>((byte*)own + sizeof(int), *(int*)own);
        while (!preferred.IsEmpty)
        {
            var wanted = preferred.Slice(1, preferred[0]);
            for (uint at = 0; at < offeredLength; at += 1u + offered[at])
            {
                if (at + 1 + offered[at] <= offeredLength &&
                    wanted.SequenceEqual(new ReadOnlySpan<byte>(offered + at + 1, offered[at])))
                {
                    *selected = offered + at + 1;
                    *selectedLength = offered[at];
                    return LibSsl.AlpnAccepted;
                }
            }

            preferred = preferred[(1 + wanted.Length)..];
        }

        // RFC 7301 §3.2. Names of the mesh chose the chain before and need no answer, as it is with Istio's proxies.
        return OffersMeshName(new ReadOnlySpan<byte>(offered, (int)offeredLength)) ? LibSsl.AlpnIgnored : LibSsl.AlpnRefused;
    }

    private static bool OffersMeshName(ReadOnlySpan<byte> offered)
    {
        while (offered.Length > 0 && offered.Length > offered[0])
        {
            if (offered.Slice(1, offered[0]).StartsWith("istio"u8))
            {
                return true;
            }

            offered = offered[(1 + offered[0])..];
        }

        return false;
    }
}
