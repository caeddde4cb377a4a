// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Control;
using Xunit;

namespace Weft.Proxy.Tests.Control;

public sealed class NodeClaimsTests
{
    [Fact]
    public void The_control_plane_is_told_which_version_speaks()
    {
        var node = NodeClaims.Message(new NodeSettings { Id = "sidecar~10.0.0.1~a.b~b.svc.cluster.local" });
        Assert.Equal("weft-proxy", node.UserAgentName);
        Assert.Matches(@"^\d+\.\d+\.\d+$", node.UserAgentVersion);
        Assert.Equal(node.UserAgentVersion, node.Metadata.Fields["ISTIO_VERSION"].StringValue);
    }
}
