// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Collecting;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Http;
using Weft.ApiServer.Nodes;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Schema;
using Weft.ApiServer.Security;
using Weft.ApiServer.Storage;
using Weft.ApiServer.Storage.Etcd;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer;

/// <summary>The embedded Kubernetes API server: one process-wide instance that owns its database and its sockets.</summary>
public sealed class ApiServerHost : IAsyncDisposable
{
    private readonly ApiServerOptions _options;
    private readonly ILoggerFactory _logging;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ServingAuthority _authority;
    private readonly TokenAuthority _tokens;
    private readonly ObjectStore _store;
    private readonly NodeProxy _node;
    private readonly Router _router;
    private readonly ApiServices _services;
    private WebApplication? _application;
    private X509Certificate2? _serving;
    private Task _collecting = Task.CompletedTask;

    public ApiServerHost(ApiServerOptions options, AdmissionHooks hooks, TimeProvider clock, ILoggerFactory logging)
    {
        _options = options;
        _logging = logging;
        Directory.CreateDirectory(options.DataDirectory);
        _authority = new ServingAuthority(options.DataDirectory, clock);
        _store = new ObjectStore(OpenStorage(options, clock, logging));
        _tokens = new TokenAuthority(Path.Combine(options.DataDirectory, "sa.key"), _store, clock);
        var catalog = ResourceCatalog.Default();
        var schemas = SchemaSet.Default.ForServer();
        _services = new ApiServices
        {
            Store = _store,
            Catalog = catalog,
            Schemas = schemas,
            Kinds = new CustomKinds(_store, catalog, schemas, clock),
            Hooks = hooks,
            Clock = clock,
            Addresses = new AddressAllocator(_store, catalog.Get("services"), options.ServiceNetworks),
            Namespaces = new NamespaceKeeper(_store, clock, _authority.RootPem),
            Tokens = _tokens,
            Rights = new RightsBook(_store),
            Authority = _authority,
            Options = options,
        };
        _node = new NodeProxy(_services);
        _router = CreateRouter();
    }

    /// <summary>The certificate authority of the TLS endpoint, as PEM.</summary>
    public string AuthorityPem => _authority.RootPem;

    internal ObjectStore Store => _store;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Bootstrap.Run(_services);
        _services.Kinds.Refresh();
        _services.Kinds.Register();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(_logging);
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(Listen);
        if (_options.TlsSocket is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        _application = builder.Build();
        var router = _router;
        ((IApplicationBuilder)_application).Run(router.HandleAsync);
        await _application.StartAsync(cancellationToken);
        var collector = new Collector(
            _services, new Deletion(_store, _services.Clock), _logging.CreateLogger("Weft.ApiServer.Collector"));
        var quotas = new QuotaKeeper(_store, _services.Clock);
        var aggregator = new RoleAggregator(_store);
        var events = new EventExpiry(_store, _services.Clock);
        _collecting = Task.WhenAll(
            Task.Run(() => collector.RunAsync(_stopping.Token), CancellationToken.None),
            Task.Run(() => aggregator.RunAsync(_stopping.Token), CancellationToken.None),
            Task.Run(() => events.RunAsync(_stopping.Token), CancellationToken.None),
            Task.Run(() => quotas.RunAsync(_stopping.Token), CancellationToken.None));
        if (_options is { KubeconfigPath: { } path, ExternalUrl: { } url })
        {
            WriteKubeconfig(path, url);
        }
    }

    /// <summary>Starts and serves until <paramref name="cancellationToken"/> is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(ended.SetResult);
        await ended.Task;
        await StopAsync();
    }

    /// <summary>Writes a kubeconfig with a fresh certificate of an administrator.</summary>
    public void WriteKubeconfig(string path, string serverUrl) => Kubeconfig.Write(path, serverUrl, _authority);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _node.Dispose();
        _store.Dispose();
        _tokens.Dispose();
        _serving?.Dispose();
        _authority.Dispose();
        _stopping.Dispose();
    }

    private async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _collecting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Interlocked.Exchange(ref _application, null) is { } application)
        {
            await application.StopAsync();
            await application.DisposeAsync();
        }
    }

    private static IStorage OpenStorage(ApiServerOptions options, TimeProvider clock, ILoggerFactory logging) => options.Store is { } location
        ? new EtcdStorage(location, options.StoreSockets, clock, logging.CreateLogger("Weft.ApiServer.Store"))
        : new SqliteStorage(Path.Combine(options.DataDirectory, "objects.db"));

    private Router CreateRouter()
    {
        var reading = new Reading(_services);
        var writer = new ObjectWriter(_services);
        var deletion = new Deletion(_store, _services.Clock);
        var verbs = new ApiVerbs(
            reading,
            new Watching(_services, reading, _stopping.Token),
            new Changing(_services, writer, deletion, reading, new Applying(_services, writer, reading)),
            new Scaling(_services, writer, reading),
            new Reviewing(_services),
            _node);
        var discovery = new DiscoveryDocuments(
            _services, new OpenApiDocuments(_services.Catalog, _services.Schemas, _options.GitVersion));
        return new Router(
            _services, verbs, discovery, new Gate(new Authenticator(_tokens, new BootstrapTokens(_store, _services.Clock), _authority), _services.Rights), _logging.CreateLogger("Weft.ApiServer"));
    }

    private void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MaxConcurrentConnections = ApiLimits.Connections;
        kestrel.Limits.MaxConcurrentUpgradedConnections = ApiLimits.Connections;
        kestrel.Limits.Http2.MaxStreamsPerConnection = ApiLimits.StreamsPerConnection;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        ListenPlain(kestrel, _options.PlainSocket);
        if (_options.TlsSocket is { } path)
        {
            string[] hosts = [.. _options.ExternalUrl is { } url ? [new Uri(url).Host] : (string[])[], .. _options.ServingNames];
            hosts = _options.SecondServiceNetwork is { } second ? [.. hosts, Bootstrap.FirstAddress(second).ToString()] : hosts;
            _serving = _authority.IssueServing(Bootstrap.FirstAddress(_options.ServiceNetwork), hosts);
            Prepare(path);
            kestrel.ListenUnixSocket(path, listen => listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = _serving,
                ClientCertificateMode = ClientCertificateMode.AllowCertificate,

                // Which authority signed it is checked a request later, where a refusal can be worded.
                ClientCertificateValidation = (_, _, _) => true,
            }));
        }
    }

    private static void ListenPlain(KestrelServerOptions kestrel, string path)
    {
        Prepare(path);
        kestrel.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http1);
    }

    private static void Prepare(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.Delete(path);
    }
}
