// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Bench;

// weft-bench ROOT http1 [--rounds N] [--seconds S] [--connections C]
if (args is not [var root, "http1", ..])
{
    await Console.Error.WriteAsync("usage: bench/run http1 [--rounds 5] [--seconds 2] [--connections 32]\n");
    return 2;
}

var rounds = Option("--rounds", 5);
var seconds = Option("--seconds", 2);
var connections = Option("--connections", 32);
var folder = Directory.CreateTempSubdirectory("weft-bench-").FullName;
try
{
    var certificates = Certificates.Create(Path.Combine(folder, "certificates"));
    var peers = new Peers(folder, certificates);
    using var origin = peers.Origin();
    using var haproxy = peers.HaproxyPair();
    using var nginx = peers.NginxPair();
    using var weft = WeftPair.Open(root, folder, certificates, "weft pair", "auto");
    using var epoll = WeftPair.Open(root, folder, certificates, "weft, epoll", "epoll");
    await Http1Comparison.RunAsync([origin, haproxy, nginx, weft, epoll], origin, haproxy, rounds, seconds, connections);
    return 0;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

int Option(string name, int otherwise)
{
    var at = Array.IndexOf(args, name);
    return at < 0 ? otherwise : int.Parse(args[at + 1], CultureInfo.InvariantCulture);
}
