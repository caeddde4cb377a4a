// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Model.Identity;

namespace Weft.Proxy.Authorization;

/// <summary>A verified identity as the texts that policies compare.</summary>
internal sealed class PeerName
{
    private const int SchemeLength = 9;

    private readonly byte[] _uri;

    internal PeerName(SpiffeId id)
    {
        _uri = Encoding.UTF8.GetBytes(id.ToString());
        Namespace = Encoding.UTF8.GetBytes(id.Namespace);
        ServiceAccount = Encoding.UTF8.GetBytes($"{id.Namespace}/{id.ServiceAccount}");
        TrustDomain = Encoding.UTF8.GetBytes(id.TrustDomain);
    }

    internal ReadOnlySpan<byte> Uri => _uri;

    /// <summary>The same without its scheme.</summary>
    internal ReadOnlySpan<byte> Principal => _uri.AsSpan(SchemeLength);

    internal byte[] Namespace { get; }

    internal byte[] ServiceAccount { get; }

    internal byte[] TrustDomain { get; }
}
