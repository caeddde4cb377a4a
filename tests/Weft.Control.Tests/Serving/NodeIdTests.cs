// SPDX-License-Identifier: Apache-2.0

using Weft.Control.Serving;

namespace Weft.Control.Tests.Serving;

public sealed class NodeIdTests
{
    [Theory]
    [InlineData("sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", "web-1", "shop")]
    [InlineData("sidecar~10.0.0.1~a.b.c.shop~shop.svc.cluster.local", "a.b.c", "shop")]
    public void A_pods_name_may_have_dots(string text, string pod, string ns)
    {
        Assert.True(NodeId.TryParse(text, out var id));
        Assert.Equal((pod, ns), (id.Pod, id.Namespace));
    }

    [Theory]
    [InlineData("")]
    [InlineData("web-1.shop")]
    [InlineData("sidecar~10.0.0.1~web~shop.svc.cluster.local")]
    [InlineData("sidecar~10.0.0.1~.shop~x")]
    [InlineData("sidecar~10.0.0.1~web.~x")]
    [InlineData("~10.0.0.1~web.shop~x")]
    [InlineData("sidecar~10.0.0.1~web.shop~x~y")]
    public void Other_texts_are_none(string text) => Assert.False(NodeId.TryParse(text, out _));
}
