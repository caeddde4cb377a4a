// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Tls;
using Xunit;

namespace Weft.Proxy.Tests.Life;

public sealed class PeerTableTests
{
    [Fact]
    public void Connections_with_the_same_certificate_share_one_identity_and_the_table_has_a_limit()
    {
        using var authority = new TestAuthority();
        var peers = new PeerTable();
        var first = Identify(peers, authority.Issue(MeshedPair.ClientId).Chain);
        var chain = authority.Issue(MeshedPair.ServerId).Chain;
        Assert.Same(Identify(peers, chain), Identify(peers, chain));
        Assert.Equal(MeshedPair.ServerId, Identify(peers, chain).Uri);
        Assert.Equal(MeshedPair.ClientId, first.Uri);
        Assert.Equal($"By=me;Hash={first.Hash};Subject=\"O=test\";URI={MeshedPair.ClientId}", System.Text.Encoding.ASCII.GetString(first.ForwardedBy("me")));
        Assert.StartsWith("By=you;", System.Text.Encoding.ASCII.GetString(first.ForwardedBy("you")), StringComparison.Ordinal);

        for (var i = peers.Count; i < PeerTable.Limit; i++)
        {
            Identify(peers, authority.Issue(MeshedPair.ClientId).Chain);
        }

        Assert.Equal(PeerTable.Limit, peers.Count);
        Identify(peers, authority.Issue(MeshedPair.ClientId).Chain);
        Assert.Equal(1, peers.Count);
    }

    private static PeerIdentity Identify(PeerTable peers, string chain)
    {
        var certificate = TlsMaterial.ReadCertificates(chain)[0];
        var peer = peers.Identify(certificate);
        LibSsl.CertificateFree(certificate);
        return peer;
    }
}
