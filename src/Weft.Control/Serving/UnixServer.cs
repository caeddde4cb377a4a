// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Weft.Control.Serving;

/// <summary>An HTTP server on a Unix socket.</summary>
internal sealed class UnixServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _socket;

    private UnixServer(WebApplication app, string socket) => (_app, _socket) = (app, socket);

    public static async Task<UnixServer> StartAsync(
        string socket, HttpProtocols protocols, ServingLimits limits, ILoggerFactory logs, RequestDelegate serve)
    {
        // Left behind by a process that was killed.
        File.Delete(socket);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = protocols == HttpProtocols.Http2 ? null : 64 * 1024;

            // A stream that says nothing for hours is a proxy whose configuration does not change.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.Http2.InitialStreamWindowSize = 256 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 1024 * 1024;
            kestrel.Limits.MaxConcurrentConnections = limits.MaxStreams * 2;
            kestrel.ListenUnixSocket(socket, listen => listen.Protocols = protocols);
        });
        var app = builder.Build();
        app.Run(serve);
        try
        {
            await app.StartAsync();
            return new UnixServer(app, socket);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        File.Delete(_socket);
    }

    /// <summary>Signals are the program's business: the default lifetime would take them away from it.</summary>
    private sealed class CallersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
