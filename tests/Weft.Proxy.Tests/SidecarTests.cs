// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Weft.Proxy.Control;
using Xunit;

namespace Weft.Proxy.Tests;

public sealed class SidecarTests
{
    [Fact]
    public void A_sidecar_is_ready_with_its_plan_shows_it_logs_requests_and_ends_when_asked()
    {
        var log = Path.GetTempFileName();
        try
        {
            using var origin = TestOrigin.Ok("hello");
            var port = TestProxy.FreePort();
            var bootstrap = new Bootstrap
            {
                Node = new NodeSettings { Id = "sidecar~10.0.0.1~a.b~b.svc.cluster.local" },
                Identity = new IdentitySettings(),
                Ports = new PortSettings { Admin = 0, Metrics = 0, Prometheus = 0, Status = 0 },
                AccessLog = log,
                MarkSockets = false,
                ExitOnZeroActiveConnections = true,
                MinimumDrainSeconds = 0,
            };
            using (var sidecar = new Sidecar(bootstrap, TimeProvider.System, new Random(1), TextWriter.Null))
            {
                Assert.Equal("no plan yet", sidecar.NotReady);
                var code = -1;
                var running = new Thread(() => code = sidecar.Run());
                running.Start();
                Assert.Null(sidecar.Apply(Plans.Http(port, Plans.Forward("origin")).With(Plans.Cluster("origin", origin.Port))));
                Assert.Null(sidecar.NotReady);
                using (var client = Peer.Connect(port))
                {
                    client.Write("GET /a HTTP/1.1\r\nhost: shop\r\n\r\n");
                    Assert.EndsWith("hello", client.ReadMessage(), StringComparison.Ordinal);
                }

                Assert.Contains($"127.0.0.1_{port}", Encoding.UTF8.GetString(sidecar.ConfigDump()), StringComparison.Ordinal);
                // Asking for the clusters takes a turn of every loop; the request is counted after it.
                Assert.Contains($"origin::127.0.0.1:{origin.Port}::health_flags::healthy", sidecar.Clusters(), StringComparison.Ordinal);
                Assert.Contains("istio_requests_total{reporter=\"source\"", sidecar.Metrics(), StringComparison.Ordinal);
                sidecar.Quit();
                Assert.True(running.Join(20_000));
                Assert.Equal(0, code);
                Assert.Equal("draining", sidecar.NotReady);
            }

            Assert.Contains("\"GET /a HTTP/1.1\" 200 - via_upstream", File.ReadAllText(log), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(log);
        }
    }
}
