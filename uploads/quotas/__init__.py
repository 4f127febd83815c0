"""What a bucket and each principal in it may upload: reserved before the body, settled with what came."""
