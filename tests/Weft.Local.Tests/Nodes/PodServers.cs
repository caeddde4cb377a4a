// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Weft.Local.Tests.Nodes;

/// <summary>Servers for probes that ask in other ways than plain HTTP.</summary>
internal static class PodServers
{
    /// <summary>The health service of gRPC, which answers this for every service.</summary>
    public static Task HealthAsync(int port, byte health) => RunAsync(
        kestrel => kestrel.Listen(IPAddress.Any, port, listen => listen.Protocols = HttpProtocols.Http2),
        async context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 0x08, health });
            context.Response.AppendTrailer("grpc-status", context.Request.Path == "/grpc.health.v1.Health/Check" ? "0" : "12");
        });

    /// <summary>HTTPS with a certificate that nobody knows.</summary>
    public static async Task HttpsAsync(int port)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=nobody", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        await RunAsync(
            kestrel => kestrel.Listen(IPAddress.Any, port, listen => listen.UseHttps(certificate)),
            context =>
            {
                context.Response.StatusCode = context.Request.Path == "/ok" ? 200 : 500;
                return Task.CompletedTask;
            });
    }

    private static async Task RunAsync(Action<KestrelServerOptions> listen, RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(listen);
        await using var application = builder.Build();
        ((IApplicationBuilder)application).Run(answer);
        await application.RunAsync();
    }
}
