// Uploads one file with minio-go: upload MODE BUCKET KEY FILE.
//
// Over plain http minio-go signs every chunk (STREAMING-AWS4-HMAC-SHA256-PAYLOAD); with trailing headers
// it adds a checksum after the last chunk (...-TRAILER).
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func main() {
	if err := upload(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func upload(mode, bucket, key, path string) error {
	options, trailing, err := optionsFor(mode)
	if err != nil {
		return err
	}
	client, err := newClient(trailing)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = client.PutObject(context.Background(), bucket, key, file, info.Size(), options)
	return err
}

func optionsFor(mode string) (minio.PutObjectOptions, bool, error) {
	switch mode {
	case "signed-chunks":
		return minio.PutObjectOptions{}, false, nil
	case "signed-chunks-one-part":
		return minio.PutObjectOptions{DisableMultipart: true}, false, nil
	case "trailing-crc32c":
		return minio.PutObjectOptions{Checksum: minio.ChecksumCRC32C}, true, nil
	case "trailing-sha256-one-part":
		return minio.PutObjectOptions{Checksum: minio.ChecksumSHA256, DisableMultipart: true}, true, nil
	}
	return minio.PutObjectOptions{}, false, fmt.Errorf("unknown mode %q", mode)
}

func newClient(trailing bool) (*minio.Client, error) {
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return nil, err
	}
	return minio.New(endpoint.Host, &minio.Options{
		Creds:           credentials.NewEnvAWS(),
		Secure:          endpoint.Scheme == "https",
		TrailingHeaders: trailing,
		MaxRetries:      1,
	})
}
