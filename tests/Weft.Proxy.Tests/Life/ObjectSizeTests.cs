// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;
using Weft.Proxy.Io;
using Weft.Proxy.Listeners;
using Weft.Proxy.Stacks;
using Weft.Proxy.Tls;
using Weft.Proxy.Tunnels;
using Weft.Proxy.Upstreams;
using Xunit;

namespace Weft.Proxy.Tests.Life;

/// <summary>What one connection or request is made of. A limit may be raised, knowingly: ten thousand connections pay for each byte.</summary>
public sealed class ObjectSizeTests
{
    /// <summary>Where the runtime keeps the size of a type's instances, behind the component size.</summary>
    private const int BaseSizeOffset = 4;

    [Theory]
    [InlineData(typeof(LoopTimer), 64)]
    [InlineData(typeof(EpollChannel), 152)]
    [InlineData(typeof(UringChannel), 208)]
    [InlineData(typeof(TlsChannel), 128)]
    [InlineData(typeof(TlsRecords), 64)]
    [InlineData(typeof(AcceptedConnection), 192)]
    [InlineData(typeof(Http1Downstream), 240)]
    [InlineData(typeof(ClientFacts), 216)]
    [InlineData(typeof(Http2Downstream), 88)]
    [InlineData(typeof(Http2DownstreamStream), 80)]
    [InlineData(typeof(Http2Flow), 96)]
    [InlineData(typeof(Http2Upstream), 160)]
    [InlineData(typeof(Http2UpstreamStream), 56)]
    [InlineData(typeof(Http1Upstream), 240)]
    [InlineData(typeof(TunnelStack), 256)]
    [InlineData(typeof(BytePump), 96)]
    [InlineData(typeof(Exchange), 648)]
    public void An_object_of_the_data_path_is_not_larger_than(Type type, int bytes) =>
        Assert.InRange(Marshal.ReadInt32(type.TypeHandle.Value, BaseSizeOffset), 1, bytes);

    [Fact]
    public void The_sizes_are_read_from_the_right_place() => Assert.Equal(24, Marshal.ReadInt32(typeof(object).TypeHandle.Value, BaseSizeOffset));
}
