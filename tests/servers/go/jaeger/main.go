// Jaeger with the components that the configurations of the examples name, and no others: all of them are
// Jaeger's and the collector's own. It takes minutes less to build than the whole.
//
// The module's path is below Jaeger's, as what it is made of is internal there.
package main

import (
	"log"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"github.com/jaegertracing/jaeger/cmd/jaeger/internal/exporters/storageexporter"
	"github.com/jaegertracing/jaeger/cmd/jaeger/internal/extension/jaegerquery"
	"github.com/jaegertracing/jaeger/cmd/jaeger/internal/extension/jaegerstorage"
)

func main() {
	settings := otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "jaeger"},
		Factories: func() (otelcol.Factories, error) { return factories(), nil },
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				ProviderFactories: []confmap.ProviderFactory{
					fileprovider.NewFactory(), // --config
					yamlprovider.NewFactory(), // --set
					envprovider.NewFactory(),  // the collector's default scheme
				},
			},
		},
	}
	if err := otelcol.NewCommand(settings).Execute(); err != nil {
		log.Fatal(err)
	}
}

func factories() otelcol.Factories {
	storage, query, otlp := jaegerstorage.NewFactory(), jaegerquery.NewFactory(), otlpreceiver.NewFactory()
	toStorage, byGRPC, byHTTP := storageexporter.NewFactory(), otlpexporter.NewFactory(), otlphttpexporter.NewFactory()
	return otelcol.Factories{
		Telemetry:  otelconftelemetry.NewFactory(),
		Extensions: map[component.Type]extension.Factory{storage.Type(): storage, query.Type(): query},
		Receivers:  map[component.Type]receiver.Factory{otlp.Type(): otlp},
		Exporters: map[component.Type]exporter.Factory{
			toStorage.Type(): toStorage,
			byGRPC.Type():    byGRPC,
			byHTTP.Type():    byHTTP,
		},
	}
}
