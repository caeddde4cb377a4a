// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Weft.Model.Plan;
using Weft.Proxy.Control;
using Xunit;

namespace Weft.Proxy.Tests.Control;

public sealed class ControlThreadTests
{
    [Fact]
    public void Its_end_ends_the_connection_though_the_control_plane_says_nothing()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var bootstrap = new Bootstrap
        {
            Node = new NodeSettings { Id = "sidecar~10.0.0.1~a.b~b.svc.cluster.local" },
            Identity = new IdentitySettings { TrustDomain = "cluster.local" },
            Control = new ControlSettings { Address = listener.LocalEndPoint!.ToString()! },
        };
        var log = new StringWriter();
        using var control = new ControlThread(bootstrap, new Sink(), TimeProvider.System, new Random(1), TextWriter.Synchronized(log));
        control.Start();
        using var connection = listener.Accept();
        connection.ReceiveTimeout = 20_000;
        var bytes = new byte[4096];
        Assert.True(connection.Receive(bytes) > 0);
        control.Dispose();
        while (connection.Receive(bytes) > 0)
        {
            // What it said before.
        }

        Assert.Equal("", log.ToString());
    }

    private sealed class Sink : IControlSink
    {
        public string? Apply(ProxyPlan plan) => null;

        public string? ApplyIdentity(WorkloadIdentity identity) => null;
    }
}
