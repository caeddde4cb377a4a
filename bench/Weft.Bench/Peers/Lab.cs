// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.Bench.Peers;

/// <summary>What all rows share: a folder, certificates, ports, the origin, and the programs that are compared.</summary>
internal sealed class Lab : IDisposable
{
    // Below the range that the kernel takes client ports from, so that nobody's outgoing connection is in the way.
    private const int FirstPort = 28_000;
    private const int LastPort = 32_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("weft-bench-");
    private int _lastPort = FirstPort;

    public Lab(string root, BenchOptions options)
    {
        Options = options;
        Certificates = Certificates.Create(Folder("certificates"));
        var proxy = Path.Combine(Environment.GetEnvironmentVariable("WEFT_BIN") ?? Path.Combine(root, "artifacts", "bin-weft"), "weft-proxy");
        WeftProgram = File.Exists(proxy) ? proxy : throw new BenchException($"'{proxy}' is missing; './weft version' builds it.");
        Haproxy = new Haproxy(this);
        Nginx = new Nginx(this, options.Nginx);
        Envoy = options.Envoy is null ? null : new Envoy(this, options.Envoy);
        Weft = new WeftProxy(this);
        Origin = new Origin(this);
    }

    public BenchOptions Options { get; }

    public Certificates Certificates { get; }

    /// <summary>What could not be measured, and why.</summary>
    public List<string> Problems { get; } = [];

    public string WeftProgram { get; }

    public Haproxy Haproxy { get; }

    public Nginx Nginx { get; }

    public Envoy? Envoy { get; }

    public WeftProxy Weft { get; }

    public Origin Origin { get; }

    /// <summary>A port that nothing listens on.</summary>
    public int NextPort()
    {
        while (++_lastPort < LastPort)
        {
            try
            {
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                probe.Bind(new IPEndPoint(IPAddress.Any, _lastPort));
                return _lastPort;
            }
            catch (SocketException)
            {
                // Somebody's; the next one.
            }
        }

        throw new BenchException($"No port is free between {FirstPort} and {LastPort}.");
    }

    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder.FullName, name)).FullName;

    /// <summary>A folder for one process; the number keeps two of the same name apart.</summary>
    public string OwnFolder(string name) => Folder(string.Create(CultureInfo.InvariantCulture, $"{name}-{NextPort()}"));

    /// <summary>Writes a file and returns its path.</summary>
    public string Write(string name, string text)
    {
        var file = Path.Combine(_folder.FullName, name);
        File.WriteAllText(file, text);
        return file;
    }

    public void Dispose()
    {
        Tool.StopAll();
        _folder.Delete(recursive: true);
    }
}
