// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Tls;

/// <summary>Peers that one loop knows, by their certificate: a workload's many connections share one identity instead of each having its own.</summary>
internal sealed class PeerTable
{
    /// <summary>Certificates that are remembered; above this all are forgotten and read anew.</summary>
    internal const int Limit = 1024;

    private readonly Dictionary<string, PeerIdentity> _known = [];

    internal int Count => _known.Count;

    /// <summary>Who a certificate says the peer is; whether to believe it is the caller's decision. The certificate itself only where it is wanted.</summary>
    internal PeerIdentity Identify(nint certificate, bool isWhole = false)
    {
        var hash = PeerIdentity.HashOf(certificate);
        if (hash.Length == 0)
        {
            return PeerIdentity.Read(certificate, hash, isWhole);
        }

        if (!_known.TryGetValue(hash, out var peer) || (isWhole && peer.Certificate.Length == 0))
        {
            if (_known.Count >= Limit)
            {
                _known.Clear();
            }

            _known[hash] = peer = PeerIdentity.Read(certificate, hash, isWhole);
        }

        return peer;
    }
}
